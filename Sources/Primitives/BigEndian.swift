/// Fixed-width big-endian integers in raw memory. Callers have checked the bounds.
extension UnsafeRawPointer {
  @inlinable @inline(__always)
  package func bigEndian<Value: FixedWidthInteger>(_ type: Value.Type, at distance: Int) -> Value {
    Value(bigEndian: loadUnaligned(fromByteOffset: distance, as: Value.self))
  }
}

extension UnsafeMutableRawPointer {
  @inlinable @inline(__always)
  package func storeBigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at distance: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: distance, as: Value.self)
  }
}
