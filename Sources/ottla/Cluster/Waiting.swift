import Client
import Glibc
import Primitives

func pause(milliseconds: Int) { usleep(useconds_t(milliseconds) * 1000) }

/// Lines on standard error that say how far long work has come: one for each change, at most one a second.
struct ProgressLines {
  private var last = ""
  private var watch: Stopwatch?

  mutating func say(_ text: String) {
    guard text != last, watch.map({ $0.milliseconds >= 1000 }) ?? true else { return }
    last = text
    watch = Stopwatch()
    standardError(text + "\n")
  }
}

extension ClusterWatch {
  /// Waits until none of `partitions` is being moved, and says how many are left.
  func waitForMoves(of partitions: [TopicPartition]) throws {
    let wanted = Set(partitions)
    var progress = ProgressLines()
    while true {
      let left = try ask { (admin) throws(ClientError) in try admin.ongoingReassignments() }
        .count { wanted.contains($0.partition) }
      if left == 0 { return }
      progress.say("\(left) of \(wanted.count) partitions are still being moved")
      pause(milliseconds: 500)
    }
  }
}
