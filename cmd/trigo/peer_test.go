//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// peerMain is the command peer of the scripts: what trigo talks to, made of
// package net alone.
func peerMain() {
	if err := servePeer(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func servePeer(what string, args []string) error {
	switch what {
	case "answer": // FILE SIZE: see answer
		size, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return accept(args[0], func(c *net.TCPConn) error { return answer(c, size) })
	case "reset": // FILE: sends 1000 bytes, waits for one, and resets
		return accept(args[0], func(c *net.TCPConn) error {
			c.Write(make([]byte, 1000))
			c.Read(make([]byte, 1))
			return c.SetLinger(0)
		})
	case "refuse": // FILE: answers the first bytes of an upload and leaves
		return accept(args[0], func(c *net.TCPConn) error {
			c.Read(make([]byte, 1))
			_, err := c.Write([]byte("too large\n"))
			return err
		})
	case "unread": // FILE: reads nothing, and says when enough has come for that to be noticed
		return accept(args[0], func(c *net.TCPConn) error {
			c.Read(make([]byte, 1))
			fmt.Fprintln(os.Stderr, "full")
			select {}
		})
	case "arguments": // prints them, with a NUL after each
		for _, a := range args {
			fmt.Printf("%s\x00", a)
		}
		return nil
	case "hold": // SOCKET READY GO: see hold
		return hold(args[0], args[1], args[2])
	case "count": // prints how many bytes it reads
		n, err := io.Copy(io.Discard, os.Stdin)
		fmt.Println(n)
		return err
	}
	return fmt.Errorf("what is %q?", what)
}

// accept listens, writes its address to file, and serves one connection.
func accept(file string, serve func(*net.TCPConn) error) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(l.Addr().String()+"\n"), 0o600); err != nil {
		return err
	}
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	return serve(c.(*net.TCPConn))
}

// answer reads until the client has ended its half, thinks about it, and sends
// size bytes.
func answer(c net.Conn, size int) error {
	n, err := io.Copy(io.Discard, c)
	if err != nil {
		return err
	}
	fmt.Println("received", n)
	thinking := time.NewTimer(20 * time.Millisecond)
	if os.Getenv("TRIGO_SOAK") != "" {
		thinking.Reset(time.Second)
	}
	<-thinking.C
	_, err = c.Write(bytes.Repeat([]byte("y"), size))
	return err
}

// hold connects to an echo on a socket, Unix or TCP, makes the file ready when it answers, and
// holds the connection until the file release is there, or it is cut.
func hold(socket, ready, release string) error {
	network := "tcp"
	if strings.Contains(socket, "/") || !strings.Contains(socket, ":") {
		network = "unix"
	}
	c, err := net.Dial(network, socket)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		return err
	}
	if err := os.WriteFile(ready, nil, 0o600); err != nil {
		return err
	}
	for {
		if _, err := os.Stat(release); err == nil {
			break
		}
		c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !os.IsTimeout(err) {
			fmt.Println("cut")
			return nil
		}
	}
	c.SetReadDeadline(time.Time{})
	c.(interface{ CloseWrite() error }).CloseWrite()
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	fmt.Println("clean")
	return nil
}
