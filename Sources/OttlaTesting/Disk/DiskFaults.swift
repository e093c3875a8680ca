internal import Effects
internal import Synchronization

/// What a disk refuses at present, for all files of one broker.
final class DiskFaults: Sendable {
  private struct State {
    var failing: Set<DiskOperation> = []
    var isFull = false
  }

  private let state = Mutex(State())

  func fail(_ operations: Set<DiskOperation>) { state.withLock { $0.failing.formUnion(operations) } }
  func fill() { state.withLock { $0.isFull = true } }
  func heal() { state.withLock { $0 = State() } }

  var isFull: Bool { state.withLock { $0.isFull } }

  private static let inputOutputError: Int32 = 5
  private static let noSpaceLeft: Int32 = 28

  /// Throws where the disk refuses this kind of call.
  func check(_ kind: DiskOperation, _ operation: String, _ path: String) throws(IOError) {
    if state.withLock({ $0.failing.contains(kind) }) {
      throw IOError(operation: operation, path: path, errno: Self.inputOutputError)
    }
  }

  /// Throws where the disk refuses writes, or is full and the call needs room.
  func checkGrowth(_ needsRoom: Bool, _ operation: String, _ path: String) throws(IOError) {
    try check(.writes, operation, path)
    if needsRoom, isFull { throw IOError(operation: operation, path: path, errno: Self.noSpaceLeft) }
  }
}
