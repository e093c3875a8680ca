internal import Synchronization

/// Who wants to be told what becomes of records: a place each, whose address travels with the record through librdkafka.
///
/// Places are used again, each is a cache line of its own, for two threads write to them, and there are never more than records wait: an object for each record would cost more than all else here.
final class DeliveryListeners: Sendable {
  private typealias Place = UnsafeMutablePointer<Delivery.Listener>

  private struct Places {
    /// Addresses of places that nobody has: pointers are not Sendable.
    var free: [UInt] = []
    var blocks: [UInt] = []
  }
  private static let blockPlaces = 1024
  private static let placeBytes = 64
  private let places = Mutex(Places())

  deinit {
    places.withLock { places in
      for bits in places.blocks { UnsafeMutableRawPointer(bitPattern: bits)?.deallocate() }
    }
  }

  /// Keeps `listener` until `forget`, and says where: nothing but `tell` and `forget` may be done with that.
  func keep(_ listener: Delivery.Listener) -> UnsafeMutableRawPointer? {
    let bits = places.withLock { places -> UInt in
      if places.free.isEmpty {
        let block = UnsafeMutableRawPointer.allocate(
          byteCount: Self.blockPlaces * Self.placeBytes, alignment: Self.placeBytes)
        places.blocks.append(UInt(bitPattern: block))
        for index in 0..<Self.blockPlaces { places.free.append(UInt(bitPattern: block + index * Self.placeBytes)) }
      }
      return places.free.removeLast()
    }
    let place = Place(bitPattern: bits)
    place?.initialize(to: listener)
    return UnsafeMutableRawPointer(place)
  }

  /// Tells the listener there.
  static func tell(_ place: UnsafeMutableRawPointer, _ outcome: Delivery.Outcome) {
    let place = place.assumingMemoryBound(to: Delivery.Listener.self)
    // Taken out and put back: so nobody counts a reference to what the closure holds, which those who send are counting too.
    let listener = place.move()
    listener.tell(outcome)
    place.initialize(to: listener)
  }

  /// Lets the listeners at these addresses go; their places are free again.
  func forget(_ gone: [UInt]) {
    for bits in gone { Place(bitPattern: bits)?.deinitialize(count: 1) }
    places.withLock { $0.free += gone }
  }
}
