package endpoint

// kinds are all kinds of layers. Everything that is known of layers comes from
// here: what the parser takes, what help and completion show, how they are opened.
// It is filled in by init, because some of the layers look others up in it.
var kinds []*kind

func init() {
	kinds = []*kind{
		// what connects
		stdioKind, tcpKind, unixKind, udpKind, fileKind, fifoKind, fdKind, execKind,
		echoKind, discardKind, zeroKind, literalKind, hubKind,
		// what listens
		tcpListenKind, unixListenKind, udpListenKind, systemdKind,
		// what stands on these
		tlsKind, tlsServerKind, connectKind, socks5Kind, proxySendKind, proxyAcceptKind,
		rateKind, tapKind, countKind, idleKind, lifeKind, faultKind,
	}
}
