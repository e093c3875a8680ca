import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker
@testable import Replication

@Suite struct LeadershipTests {
  private final class Answers { var list: [Bool] = [] }

  private func ask(_ topic: ReplicatedTopic, _ answers: Answers) throws {
    topic[1].shards[0].whenStillLeading(try topic.hosted(1)) { answers.list.append($0) }
  }

  @Test func whoHasNoFollowersInSyncLeads() throws {
    let topic = try ReplicatedTopic([1, 2, 3])
    topic.change { $0.isr = [1] }
    let answers = Answers()
    try ask(topic, answers)
    #expect(answers.list == [true])
  }

  /// Followers that wait for records are answered, and fetch again: that takes no longer than the way there and back.
  @Test func followersThatFollowSayThatItLeads() throws {
    let topic = try ReplicatedTopic([1, 2, 3], settings: [(name: "replica.fetch.wait.max.ms", value: "5000")])
    try topic.produce(3)
    topic.cluster.advance(ms: 3000)
    let answers = Answers()
    try ask(topic, answers)
    #expect(answers.list.isEmpty, "what they sent before the question says nothing")
    topic.cluster.advance(ms: 100)
    #expect(answers.list == [true])
    try ask(topic, answers)
    topic.cluster.advance(ms: 100)
    #expect(answers.list == [true, true])
  }

  /// A fetch that was on its way when the question came is of a time before it.
  @Test func aFetchOfBeforeTheQuestionDoesNotCount() throws {
    let topic = try ReplicatedTopic([1, 2])
    topic.cluster.advance(ms: 2000)
    let partition = try topic.hosted(1).partition
    let question = topic.cluster.clock.now()
    let fetch = FollowerFetch(
      replica: BrokerID(2), brokerEpoch: 10, currentLeaderEpoch: partition.leaderEpoch,
      position: FetchPosition(offset: .zero, lastFetchedEpoch: .none, logStartOffset: .zero))
    let later = question.advanced(byMilliseconds: 10)
    #expect(!partition.hasLed(at: question))
    partition.followerFetched(fetch, now: later)
    #expect(!partition.hasLed(at: question), "nobody knows when it was sent")
    partition.followerFetched(fetch, sentAfter: question.advanced(byMilliseconds: -1), now: later)
    #expect(!partition.hasLed(at: question))
    partition.followerFetched(fetch, sentAfter: question, now: later)
    #expect(partition.hasLed(at: question) && !partition.hasLed(at: later))
  }

  @Test func aLeaderThatIsCutOffDoesNotSayThatItLeads() throws {
    let topic = try ReplicatedTopic([1, 2, 3], settings: [(name: "zookeeper.session.timeout.ms", value: "3000")])
    topic.cluster.advance(ms: 2000)
    topic.cluster.network.isolate(BrokerID(1))
    let answers = Answers()
    try ask(topic, answers)
    topic.cluster.advance(ms: 4900)
    #expect(answers.list.isEmpty)
    topic.cluster.advance(ms: 200)
    #expect(answers.list == [false])
  }

  /// What a leader has appended and not seen confirmed when it hears of another one may be in the log: it must not be told to be nowhere.
  @Test func whatWaitsForReplicasIsDoubtfulWhenAnotherLeads() throws {
    let topic = try ReplicatedTopic([1, 2], configs: ["min.insync.replicas": "2"])
    topic.cluster.advance(ms: 1000)
    topic.cluster.network.isolate(BrokerID(2))
    let client = topic[1].connect()
    client.sendProduce(ReplicatedTopic.name, 0, ["x"])
    topic.cluster.advance(ms: 100)
    #expect(client.take().isEmpty)
    topic.change {
      $0.leader = 2
      $0.leaderEpoch += 1
    }
    #expect(try client.takeOne().produced[0].errorCode == .notEnoughReplicasAfterAppend)
    client.sendProduce(ReplicatedTopic.name, 0, ["y"])
    topic.cluster.settle()
    #expect(try client.takeOne().produced[0].errorCode == .notLeaderOrFollower)
  }

  /// One that hears of its end while somebody waits says so at once; one whose isr is without the silent member goes on.
  @Test(arguments: [true, false]) func theNextImageEndsTheWait(isReplaced: Bool) throws {
    let topic = try ReplicatedTopic([1, 2, 3])
    topic.cluster.advance(ms: 2000)
    topic.cluster.network.isolate(BrokerID(3))
    let answers = Answers()
    try ask(topic, answers)
    topic.cluster.advance(ms: 1000)
    #expect(answers.list.isEmpty, "3 could have been elected")
    topic.change {
      if isReplaced {
        $0.leader = 2
        $0.leaderEpoch += 1
      } else {
        $0.isr = [1, 2]
      }
    }
    #expect(answers.list == [!isReplaced])
  }
}
