import Primitives
import Testing

@testable import ottla

@Suite("ReassignWish")
struct ReassignWishTests {
  private func wish(_ line: String) throws -> ReassignWish {
    try ReassignWish(Arguments(line.split(separator: " ").map(String.init), for: topicReassignCommand()))
  }

  private func refusal(_ line: String) -> String? {
    do {
      _ = try wish(line)
      return nil
    } catch { return "\(error)" }
  }

  private func plan(_ line: String, _ seen: ClusterView) throws -> ReplicaPlan {
    guard case .move(let request, _, _) = try wish(line) else { throw UsageError("no move") }
    return try request.plan(seen)
  }

  @Test("what does not go together is said")
  func refusals() {
    #expect(refusal("") == "--topic is missing (or --all-topics)")
    #expect(refusal("--topic t --all-topics") == "--topic does not go with --all-topics")
    #expect(refusal("--status --cancel") == "--status does not go with --cancel")
    #expect(refusal("--status --rf 2") == "--rf does not go with --status")
    #expect(refusal("--cancel --execute") == "--execute does not go with --cancel")
    #expect(refusal("--topic t --wait") == "--wait goes with --execute or --status")
    #expect(refusal("--topic t --to-brokers 1,,2") == "--to-brokers takes broker ids as in 1,2,3, not '1,,2'")
    #expect(refusal("--topic t --to-brokers 1,-2") == "--to-brokers takes broker ids as in 1,2,3, not '1,-2'")
    #expect(refusal("--topic t --to-brokers 1,1") == "--to-brokers names a broker twice: '1,1'")
    #expect(refusal("--topic t --place x=1") == "--place takes PARTITION=ID,ID,..., not 'x=1'")
    #expect(refusal("--topic t --place 0=1 --place 0=2") == "--place names partition 0 twice")
    #expect(refusal("--topic t --topic u --place 0=1") == "--place needs one --topic")
    #expect(refusal("--topic t --place 0=1 --rf 2") == "--place says it all: leave out --to-brokers and --rf")
    #expect(refusal("--topic t --rf 0")?.hasPrefix("--rf takes a whole number") == true)
  }

  @Test("status and cancel are for all topics, or for those named")
  func others() throws {
    #expect(try wish("--status") == .status(topics: nil, waits: false))
    #expect(try wish("--status --wait --topic t") == .status(topics: ["t"], waits: true))
    #expect(try wish("--cancel --topic t --topic u") == .cancel(topics: ["t", "u"]))
  }

  @Test("a plan of one's own is taken as it is; places that are right already are no moves")
  func places() throws {
    let seen = view([partition("t", 0, [1, 2]), partition("t", 1, [2, 1])], brokers: brokers(1...3))
    let moves = try plan("--topic t --place 0=3,1 --place 1=2,1", seen).moves
    #expect(moves == [.init(partition: TopicPartition("t", 0), from: [1, 2], to: [3, 1])])
    #expect(moves.first?.copies == true)
    #expect { try plan("--topic t --place 7=1", seen) } throws: { "\($0)" == "topic t has no partition 7" }
    #expect { try plan("--topic t --place 0=9", seen) } throws: { "\($0)".hasPrefix("there is no broker 9") }
  }

  @Test("without --to-brokers those that are alive; a topic that is not there is named")
  func topics() throws {
    let seen = view([partition("t", 0, [1]), partition("u", 0, [1])], brokers: brokers(1...3, fenced: [3]))
    #expect(try plan("--topic t --rf 2", seen).moves.map(\.to) == [[1, 2]])
    #expect { try plan("--topic v --rf 2", seen) } throws: { "\($0)".hasPrefix("topic v does not exist") }
    #expect { try plan("--topic t --rf 3", seen) } throws: { "\($0)".contains("too few brokers") }
    #expect(try plan("--all-topics --to-brokers 2,3 --rf 2", seen).moves.count == 2)
  }

  @Test("a broker that goes gives away what it has, to those named or those alive")
  func decommission() throws {
    let seen = view(
      [partition("t", 0, [1, 2]), partition("t", 1, [2, 3]), partition("u", 0, [3])],
      brokers: brokers(1...4, fenced: [4]))
    let plan = try decommissionPlan(seen, of: 3, to: nil)
    #expect(plan.moves.map(\.to) == [[2, 1], [1]])
    #expect { try decommissionPlan(seen, of: 3, to: [3]) } throws: { "\($0)".contains("which is to go") }
    #expect { try decommissionPlan(seen, of: 3, to: [8]) } throws: { "\($0)".hasPrefix("there is no broker 8") }
  }
}
