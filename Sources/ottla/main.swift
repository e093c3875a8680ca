import Glibc

// Everything is in functions that belong to no actor: librdkafka calls some of it from its own threads.
exit(runOttla(Array(CommandLine.arguments.dropFirst())))
