package tlsstream

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// sealer makes records of TLS 1.3 with AES-128-GCM as a peer would (RFC 8446,
// section 5.2), for what crypto/tls never sends.
type sealer struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

func newSealer(t *testing.T, secret []byte) *sealer {
	s := &sealer{secret: secret}
	block, err := aes.NewCipher(s.derive(t, "key", 16))
	if err != nil {
		t.Fatal(err)
	}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	s.iv = s.derive(t, "iv", 12)
	return s
}

// derive is HKDF-Expand-Label without a context.
func (s *sealer) derive(t *testing.T, label string, size int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "+label...)
	key, err := hkdf.Expand(sha256.New, s.secret, string(append(info, 0)), size)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// seal makes a record of that type, padded to size bytes of plaintext.
func (s *sealer) seal(kind byte, content []byte, size int) []byte {
	inner := append(append([]byte{}, content...), kind)
	inner = append(inner, make([]byte, max(0, size-len(inner)))...)
	header := binary.BigEndian.AppendUint16([]byte{23, 3, 3}, uint16(len(inner)+aeadTag))
	nonce := append([]byte{}, s.iv...)
	last := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(last, binary.BigEndian.Uint64(last)^s.seq)
	s.seq++
	return s.aead.Seal(header, nonce, inner, header)
}

// sealedPair returns a pair, and what the records of the server are sealed with.
func sealedPair(t *testing.T) (client, server *Stream, secret []byte) {
	t.Helper()
	client, server = unshaken(t, memoryTransport, clientConfig13(), nil)
	var keys strings.Builder
	config := serverConfig()
	config.SessionTicketsDisabled = true
	config.DynamicRecordSizingDisabled = true
	config.KeyLogWriter = &keys
	server = Server(server.gate.transport, config, nil)
	if err := shakeBoth(t.Context(), client, server); err != nil {
		t.Fatal(err)
	}
	if suite := server.conn.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		t.Skipf("the cipher is %s here, not AES-128-GCM", tls.CipherSuiteName(suite))
	}
	_, line, _ := strings.Cut(keys.String(), "SERVER_TRAFFIC_SECRET_0 ")
	secret, err := hex.DecodeString(strings.Fields(line)[1])
	if err != nil {
		t.Fatal(err)
	}
	return client, server, secret
}

// askForNewKeys returns a key_update with update_requested (section 4.6.3), of
// size bytes, and what seals the records behind it.
func (s *sealer) askForNewKeys(t *testing.T, size int) ([]byte, *sealer) {
	record := s.seal(recordHandshake, []byte{24, 0, 0, 1, 1}, size)
	return record, newSealer(t, s.derive(t, "traffic upd", sha256.Size))
}

// A peer that asks for new keys all the time, as often as crypto/tls allows between
// two bytes of data, and in long records, does not fill our memory with the answers of
// a stream that has nothing to send.
func TestFloodOfKeyUpdates(t *testing.T) {
	client, server, secret := sealedPair(t)
	buf := make([]byte, maxPlaintext)
	sendString(t, server, string(buf))
	if err := receiveFull(t.Context(), client, buf); err != nil {
		t.Fatal(err)
	}

	peer := newSealer(t, secret)
	peer.seq = 1 // after the record above
	const between = 16
	answer := recordHeader + 5 + 1 + aeadTag
	for range 2 * maxAnswers / answer / between {
		var records []byte
		for range between {
			record, next := peer.askForNewKeys(t, helloBuffer)
			records, peer = append(records, record...), next
		}
		records = append(records, peer.seal(23, []byte("x"), helloBuffer)...)
		if err := server.gate.transport.SendAll(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		n, err := client.ReceiveSome(t.Context(), buf)
		if err != nil || string(buf[:n]) != "x" {
			t.Fatalf("received %q, %v", buf[:n], err)
		}
		if n := client.gate.out.gathered(); n > maxAnswers+between*answer {
			t.Fatalf("%d bytes of answers wait to be sent", n)
		}
	}
}

// A peer may ask for new keys when this side has ended already. It gets no answer,
// which would come behind the end of TLS and be taken for what follows.
func TestNothingFollowsCloseNotify(t *testing.T) {
	client, server, secret := sealedPair(t)
	if err := client.SendEOF(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, peer := newSealer(t, secret).askForNewKeys(t, 0)
	records = append(records, peer.seal(23, []byte("x"), 0)...)
	records = append(records, peer.seal(21, []byte{1, 0}, 0)...) // close_notify
	if err := server.gate.transport.SendAll(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	receiveString(t, client, "x")
	transport, _, err := client.Unwrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sendString(t, transport, "plain")
	mustClose(t, transport)
	got, err := receiveAll(t.Context(), server.gate.transport)
	wantIs(t, "receive", err, nil)
	if end := recordHeader + 2 + 1 + aeadTag; got[min(end, len(got)):] != "plain" {
		t.Errorf("%q came behind close_notify, want only what was sent behind TLS", got[min(end, len(got)):])
	}
}
