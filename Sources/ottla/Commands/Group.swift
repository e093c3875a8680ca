import Client
import KafkaProtocol
import Primitives

func groupCommands() -> [Command] {
  [groupListCommand(), groupDescribeCommand(), groupResetCommand(), groupDeleteCommand()]
}

private func groupListCommand() -> Command {
  Command(
    "group list", "list the consumer groups",
    options: [CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout],
    examples: [("ottla group list", "every group and its state")]
  ) { arguments in
    let wantsJSON = try arguments.wantsJSON()
    let groups = try arguments.adminClient().listGroups()
    if wantsJSON {
      show(
        .array(
          groups.map { group in
            .object([
              ("group", .string(group.groupId)), ("state", .string(group.groupState)),
              ("type", .string(group.groupType)), ("protocolType", .string(group.protocolType)),
            ])
          }))
      return
    }
    var table = TextTable("GROUP", "STATE", "TYPE")
    for group in groups { table.add(group.groupId, group.groupState, group.groupType) }
    table.show(whenEmpty: "no groups; `ottla consume TOPIC --group NAME` starts one")
  }
}

private func groupDeleteCommand() -> Command {
  Command(
    "group delete", "delete groups without members, with their offsets",
    parameters: [Parameter("GROUP", repeats: true)],
    options: [CommonOptions.bootstrap, CommonOptions.timeout],
    examples: [("ottla group delete billing", "forget a group")]
  ) { arguments in
    let admin = try arguments.adminClient()
    for group in arguments.parameters {
      try admin.deleteGroup(group)
      standardError("deleted group \(group)\n")
    }
  }
}

private func groupDescribeCommand() -> Command {
  Command(
    "group describe", "show a group's state, members, offsets and lag",
    parameters: [Parameter("GROUP")],
    options: [CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout],
    examples: [
      ("ottla group describe billing", "how far it is behind"),
      ("ottla group describe billing -o json | jq '[.partitions[].lag] | add'", "the lag as one number"),
    ]
  ) { arguments in
    let name = arguments.parameters[0]
    let wantsJSON = try arguments.wantsJSON()
    let admin = try arguments.adminClient()
    let group = try admin.describeGroup(name)
    let committed = try admin.committedOffsets(of: name)
    if committed.isEmpty, group.members.isEmpty, group.groupState == "Dead" || group.errorCode == .groupIdNotFound {
      throw CommandFailure("group \(name) does not exist; `ottla group list` shows those that do")
    }
    let report = try GroupReport(group, committed: committed, admin)
    if wantsJSON { show(report.json) } else { report.showText() }
  }
}
