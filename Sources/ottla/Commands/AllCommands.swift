/// Every subcommand, in the order in which the help lists them.
func allCommands() -> [Command] {
  [serveCommand()]
    + topicCommands() + [produceCommand(), consumeCommand()] + groupCommands() + configCommands() + clusterCommands()
    + brokerCommands()
    + [benchProduceCommand(), benchConsumeCommand(), benchLatencyCommand()] + logCommands()
}
