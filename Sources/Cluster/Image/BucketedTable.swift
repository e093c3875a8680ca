internal import Primitives

/// A key that says by itself which bucket it belongs to, without the hash that differs from process to process.
protocol BucketKey: Hashable, Sendable {
  var bucketHash: UInt64 { get }
}

extension UUID: BucketKey {
  var bucketHash: UInt64 { low ^ high }
}

extension String: BucketKey {
  /// FNV-1a over the UTF-8 bytes: names are short.
  var bucketHash: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash ^ (hash >> 32)
  }
}

/// A dictionary that stays cheap to change while copies of it are in use elsewhere.
///
/// An image is handed to every shard after every change, so each change meets shared storage. A plain dictionary would copy
/// all its entries then; here only one bucket of 256 is copied.
struct BucketedTable<Key: BucketKey, Value: Sendable>: Sendable {
  private static var bucketCount: Int { 256 }
  private var buckets: [[Key: Value]] = Array(repeating: [:], count: bucketCount)
  private(set) var count = 0

  private func bucket(of key: Key) -> Int { Int(truncatingIfNeeded: key.bucketHash & UInt64(Self.bucketCount - 1)) }

  subscript(key: Key) -> Value? { buckets[bucket(of: key)][key] }

  mutating func set(_ value: Value, for key: Key) {
    if buckets[bucket(of: key)].updateValue(value, forKey: key) == nil { count += 1 }
  }

  @discardableResult
  mutating func remove(_ key: Key) -> Value? {
    let removed = buckets[bucket(of: key)].removeValue(forKey: key)
    if removed != nil { count -= 1 }
    return removed
  }

  /// Changes the value of `key` in place; false when there is none.
  mutating func update(_ key: Key, _ body: (inout Value) -> Void) -> Bool {
    let bucket = bucket(of: key)
    guard let index = buckets[bucket].index(forKey: key) else { return false }
    body(&buckets[bucket].values[index])
    return true
  }

  /// All keys, in no order that means anything: sort them.
  var keys: [Key] { buckets.flatMap { Array($0.keys) } }
}
