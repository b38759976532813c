package socket

const msgNoSignal = 0 // the runtime of Go ignores the signal
