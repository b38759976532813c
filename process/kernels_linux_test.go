package process

var kernels = []kernel{
	{"newest", func(bool) {}},
	{"without group flag", noGroupFlag.Store},
	{"without pidfd", noPidfd.Store},
}
