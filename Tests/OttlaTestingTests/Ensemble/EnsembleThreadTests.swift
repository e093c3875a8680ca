import Coordination
import Primitives
import Testing

@testable import OttlaTesting

@Suite struct EnsembleThreadTests {
  private let thread = EnsembleThread()

  private func client(_ broker: Int) -> EmbeddedEnsemble {
    let client = thread.client(broker: broker, timeoutMs: 6000) {}
    client.connect()
    return client
  }

  /// What a client has been told when all that was posted before is done.
  private func told(_ client: EmbeddedEnsemble) -> [EnsembleEvent] {
    thread.pass(milliseconds: 0)
    return client.poll()
  }

  private func isConnected(_ client: EmbeddedEnsemble) -> Bool {
    if case .connected? = told(client).first { true } else { false }
  }

  @Test func aSessionEndsWhenItsBrokerIsCutOffAndTimePasses() async {
    let cut = client(1)
    let other = client(2)
    #expect(isConnected(cut) && isConnected(other))
    cut.send(.create(NodeCreation("/one", isEphemeral: true)), token: RequestToken(1))
    #expect(told(cut) == [.completed(RequestToken(1), .success(.done))])
    other.send(.exists("/one", watch: true), token: RequestToken(2))
    #expect(told(other).count == 1)
    thread.post(.cut(broker: 1))
    thread.pass(milliseconds: 5000)
    #expect(other.poll() == [])
    thread.pass(milliseconds: 2000)
    #expect(other.poll() == [.changed("/one")])
    thread.post(.heal)
    thread.pass(milliseconds: 1000)
    #expect(cut.poll().contains(.sessionLost))
    // Days of it, and who can be reached keeps its session.
    thread.pass(milliseconds: 86_400_000)
    #expect(other.poll() == [])
    thread.stop()
  }

  @Test func aKilledBrokersNodesGoAtOnce() async {
    let killed = client(1)
    let other = client(2)
    #expect(isConnected(killed) && isConnected(other))
    killed.send(.create(NodeCreation("/one", isEphemeral: true)), token: RequestToken(1))
    thread.pass(milliseconds: 0)
    other.send(.exists("/one", watch: true), token: RequestToken(2))
    #expect(told(other).count == 1)
    thread.post(.lose(broker: 1))
    #expect(told(other) == [.changed("/one")])
    thread.stop()
  }

  @Test func whatAnEarlierSessionIsToldIsDropped() async {
    let again = client(1)
    again.send(.create(NodeCreation("/one", isEphemeral: true)), token: RequestToken(1))
    thread.pass(milliseconds: 0)
    again.connect()
    guard case .connected(let second)? = told(again).first else {
      Issue.record("no second session")
      return
    }
    again.close()
    #expect(told(again) == [.closed])
    #expect(second.timeoutMs == 6000)
    thread.stop()
  }
}
