internal import Synchronization

/// Who wants to be told what becomes of records: a place each, whose address travels with the record through librdkafka.
///
/// Records that are sent one after the other with one closure share its place: counting references to a closure from two threads
/// costs more than all else here. Places are used again, each is a cache line of its own, and there are never more than records wait.
final class DeliveryListeners: Sendable {
  /// So many records were sent with the listener at this address.
  struct Run {
    let place: UInt
    var records: Int
  }

  private struct Place {
    var listener: Delivery.Listener
    /// Records with this listener that are not forgotten; of the latest place this is in `Places`, for the producer's thread reads here.
    var records: Int
  }
  private typealias Address = UnsafeMutablePointer<Place>

  private struct Places {
    /// Addresses of places that nobody has: pointers are not Sendable.
    var free: [UInt] = []
    var blocks: [UInt] = []
    /// The place that was given out last, 0 where that is forgotten, and how many records have it.
    var latest: UInt = 0
    var latestIdentity = Delivery.Listener.Identity.none
    var latestRecords = 0
  }
  private static let blockPlaces = 1024
  private static let placeBytes = 64
  private let places = Mutex(Places())

  deinit {
    places.withLock { places in
      for bits in places.blocks { UnsafeMutableRawPointer(bitPattern: bits)?.deallocate() }
    }
  }

  /// Keeps `listener` until `forget` was called for as many records as this was, and says where: nothing but `listener(at:)` and
  /// `forget` may be done with that.
  func keep(_ listener: Delivery.Listener) -> UnsafeMutableRawPointer? {
    let identity = listener.identity
    return places.withLock { places in
      if places.latest == 0 || identity != places.latestIdentity { Self.open(listener, identity, &places) }
      places.latestRecords += 1
      return UnsafeMutableRawPointer(bitPattern: places.latest)
    }
  }

  private static func open(
    _ listener: Delivery.Listener, _ identity: Delivery.Listener.Identity, _ places: inout Places
  ) {
    if places.free.isEmpty {
      let block = UnsafeMutableRawPointer.allocate(byteCount: blockPlaces * placeBytes, alignment: placeBytes)
      places.blocks.append(UInt(bitPattern: block))
      for index in 0..<blockPlaces { places.free.append(UInt(bitPattern: block + index * placeBytes)) }
    }
    if places.latest != 0 { Address(bitPattern: places.latest)?.pointee.records = places.latestRecords }
    places.latest = places.free.removeLast()
    Address(bitPattern: places.latest)?.initialize(to: Place(listener: listener, records: 0))
    (places.latestIdentity, places.latestRecords) = (identity, 0)
  }

  /// Who is to be told of the records with this address.
  static func listener(at place: UnsafeMutableRawPointer) -> Delivery.Listener {
    place.assumingMemoryBound(to: Place.self).pointee.listener
  }

  /// Takes back what `keep` gave, for so many records each; a listener of whom none is left is let go.
  func forget(_ runs: [Run]) {
    let gone = places.withLock { places in
      runs.compactMap { run in Self.forget(run, &places) ? run.place : nil }
    }
    guard !gone.isEmpty else { return }
    // Not under the lock: with a closure goes what it holds, and that may send.
    for bits in gone { Address(bitPattern: bits)?.deinitialize(count: 1) }
    places.withLock { $0.free += gone }
  }

  /// Whether nobody has the place any more.
  private static func forget(_ run: Run, _ places: inout Places) -> Bool {
    if run.place == places.latest {
      places.latestRecords -= run.records
      guard places.latestRecords == 0 else { return false }
      places.latest = 0
      return true
    }
    guard let address = Address(bitPattern: run.place) else { return false }
    address.pointee.records -= run.records
    return address.pointee.records == 0
  }
}
