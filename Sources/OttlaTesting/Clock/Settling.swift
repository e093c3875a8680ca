internal import Broker
internal import CLinux
internal import Runtime

/// Lets the event loops of brokers take turns until nothing moves in them by itself any more.
enum Settling {
  /// After so long those who keep a broker busy are not waited for.
  private static let nanosecondsMax: Int64 = 1_000_000_000
  private static let pauseNanoseconds: Int64 = 50_000
  private static let roundsMin = 3

  private struct Sight: Sendable {
    let messageCount: UInt64
    let isOnDisk: Bool
  }

  /// Looks into every loop, round after round.
  ///
  /// A loop that is looked at in one round may have read its clock before the round began. The turn of the second look has
  /// not, and its timers have fired when the third look comes. What a loop posts at the end of a turn has reached the others
  /// before the look after the next. What they have asked the ensemble for before a round is answered after it, and the answer is in a
  /// mailbox then.
  static func settle(_ brokers: [RunningBroker], _ ensemble: EnsembleThread? = nil) {
    let end = ottla_monotonic_ns() + nanosecondsMax
    var quietRounds = 0
    var before: UInt64?
    for round in 1... {
      let sights = LoopLook.collect(brokers) { view in
        Sight(messageCount: view.messageCount, isOnDisk: view.shard.isOnDisk)
      }
      ensemble?.pass(milliseconds: 0)
      let messageCount = sights.reduce(0) { $0 &+ $1.messageCount }
      let isOnDisk = sights.contains(where: \.isOnDisk)
      quietRounds = !isOnDisk && messageCount == before ? quietRounds + 1 : 0
      before = messageCount
      if round >= roundsMin, quietRounds >= roundsMin || ottla_monotonic_ns() >= end { return }
      if isOnDisk { ottla_sleep(pauseNanoseconds) }
    }
  }
}
