// Command replica runs CretoAI Consensus: a demonstration cluster in one
// process, a test network's folders, one replica, and the verbs to talk to it.
//
// Results go to standard output, narration and logs to standard error. The exit
// code is 0 on success, 1 on failure and 2 if the command line was wrong.
package main
