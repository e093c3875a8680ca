import Client
import Testing

@Suite struct ProgramTests {
  @Test func helpIsAnAnswerAndItsAbsenceIsWrongUsage() throws {
    let help = try Program.run("--help")
    #expect(help.exitCode == 0)
    #expect(help.output.contains("ottla COMMAND"))
    #expect(try Program.run().exitCode == 2)
    #expect(try Program.run("topic").exitCode == 2)
    for command in ["topic create", "produce", "consume", "group reset", "config set", "bench latency", "log verify"]
      + ["cluster status", "topic reassign", "broker drain", "broker decommission"]
    {
      let outcome = try Program.run(command.split(separator: " ").map(String.init) + ["--help"])
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.hasPrefix("Usage: ottla \(command)"))
      #expect(outcome.output.contains("Examples:"))
    }
  }

  @Test func wrongUsageSaysWhatIsWrong() throws {
    let cases: [(words: [String], sentence: String)] = [
      (["topics"], "did you mean `ottla topic`?"),
      (["topic", "create"], "NAME is missing"),
      (["topic", "create", "t", "--partiton=3"], "did you mean --partitions?"),
      (["topic", "create", "t", "--partitions", "0"], "from 1 to 2147483647, not '0'"),
      (["topic", "create", "t", "--partitions"], "--partitions needs a value"),
      (["topic", "list", "-o", "xml"], "text, json, not 'xml'"),
      (["topic", "list", "more"], "unexpected word 'more'"),
      (["consume", "t", "-f", "%q"], "%q is not a part of a record"),
      (["consume", "t", "--group", "g", "-p", "1"], "leave out -p"),
      (["group", "reset", "g", "--to", "2026-02-30"], "not '2026-02-30'"),
      (["config", "set", "topic", "t", "novalue"], "NAME=VALUE, not 'novalue'"),
      (["topic", "reassign"], "--topic is missing (or --all-topics)"),
      (["topic", "reassign", "--topic", "t", "--to-brokers", "1,x"], "--to-brokers takes broker ids"),
      (["broker", "drain"], "ID is missing"),
      (["broker", "decommission", "one"], "a broker's id is a number, not 'one'"),
      (["cluster", "statsu"], "unknown command 'statsu'"),
    ]
    for (words, sentence) in cases {
      let outcome = try Program.run(words)
      #expect(outcome.exitCode == 2, "\(words)")
      #expect(outcome.errors.contains(sentence), "\(words): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
  }

  @Test func noBrokerIsOneClearLine() throws {
    for command in [
      ["topic", "list"], ["consume", "t"], ["produce", "t"], ["group", "describe", "g"], ["cluster", "status"],
      ["broker", "drain", "1"], ["topic", "reassign", "--status"],
    ] {
      let outcome = try Program.run(command + ["-b", "127.0.0.1:1"])
      #expect(outcome.exitCode == 1)
      #expect(outcome.errors.contains("no broker answers at 127.0.0.1:1 (connection refused); is it running?"))
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func linesComeBackAsTheyWereSent() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let sent = try Program.run(
      "produce", "t", "-k", ":", "-b", cluster.bootstrap, input: "a:1\nno key\n:empty key\nb:\n\n")
    #expect(sent.exitCode == 0, "\(sent.errors)")
    let read = try Program.run(
      "consume", "t", "--from-beginning", "-e", "-f", "%o %K<%k> %S<%s>\\n", "-b", cluster.bootstrap)
    #expect(read.exitCode == 0, "\(read.errors)")
    #expect(read.output == "0 1<a> 1<1>\n1 -1<> 6<no key>\n2 0<> 9<empty key>\n3 1<b> 0<>\n4 -1<> 0<>\n")
    let some = try Program.run("consume", "t", "--offset", "-3", "-n2", "-o", "json", "-b", cluster.bootstrap)
    #expect(some.exitCode == 0, "\(some.errors)")
    #expect(some.output.split(separator: "\n").count == 2)
    #expect(some.output.contains(#""offset":2"#) && some.output.contains(#""key":"","value":"empty key","headers":[]"#))
  }

  @Test func recordsThatAreRefusedAreCountedAndFail() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let long = String(repeating: "x", count: 5000)
    let outcome = try Program.run(
      "produce", "t", "-X", "message.max.bytes=1000", "-b", cluster.bootstrap, input: "a\n\(long)\nb\n")
    #expect(outcome.exitCode == 1)
    #expect(outcome.errors.contains("1 of 3 records were not delivered"))
  }
}
