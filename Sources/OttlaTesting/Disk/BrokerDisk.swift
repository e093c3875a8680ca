/// What is asked of a disk, as far as it can be made to fail.
///
/// ```swift
/// // Whatever it is that fails, the shop must not lose an order.
/// let faults: [Set<DiskOperation>] = [[.writes], [.syncs], [.reads, .writes, .syncs]]
/// for operations in faults {
///   broker.disk.fail(operations)
///   let ordering = Task { try await shop.order("tea") }
///   while broker.haltReason == nil { try await Task.sleep(for: .milliseconds(10)) }
///   broker.disk.heal()
///   try await broker.restart()
///   try await ordering.value
/// }
/// ```
public enum DiskOperation: Hashable, Sendable, CaseIterable {
  /// Reading files and folders.
  case reads
  /// Writing, making, renaming and removing.
  case writes
  /// Bringing what was written to the disk.
  case syncs
}

/// The disk under one embedded broker, that fails and fills up when it is told to.
///
/// What it is told holds from the next call of the broker's on, also for files that are open already, and over restarts.
///
/// ```swift
/// broker.disk.fail()           // the next acknowledgement of acks=all becomes KAFKA_STORAGE_ERROR
/// broker.disk.heal()
/// try await broker.restart()   // as a real broker, it takes a failed disk back with a restart only
/// ```
public final class BrokerDisk: Sendable {
  let faults = DiskFaults()

  init() {}

  /// Lets these operations fail with EIO until `heal`.
  ///
  /// The broker gives a disk up with the first write or sync that fails, as it does in production: produce requests get
  /// KAFKA_STORAGE_ERROR, and `EmbeddedBroker.haltReason` says why the broker could not go on. A failing read alone ends the
  /// connection that needs it, or is told as an error.
  ///
  /// ```swift
  /// broker.disk.fail([.syncs])
  /// ```
  public func fail(_ operations: Set<DiskOperation> = Set(DiskOperation.allCases)) { faults.fail(operations) }

  /// Leaves no room: whatever makes a file longer fails with ENOSPC, and no byte is free, until `heal`.
  ///
  /// Producers get KAFKA_STORAGE_ERROR. Nothing is lost, and the broker goes on by itself when it finds room again: it looks
  /// once a second, at once when its clock is moved.
  ///
  /// ```swift
  /// broker.disk.fill()     // producers get KAFKA_STORAGE_ERROR
  /// broker.disk.heal()
  /// await broker.clock.advance(by: .seconds(1))   // and go on
  /// ```
  public func fill() { faults.fill() }

  /// Nothing fails any more, and there is room.
  public func heal() { faults.heal() }
}
