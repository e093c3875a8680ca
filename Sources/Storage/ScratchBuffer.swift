/// Memory that is used again and again for reading from files. One owner, one use at a time.
final class ScratchBuffer {
  private var memory: UnsafeMutableRawBufferPointer
  /// What is given back to the heap after one large use.
  private let keptByteCountMax: Int

  init(keptByteCountMax: Int = 1 << 20) {
    memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    self.keptByteCountMax = keptByteCountMax
  }

  deinit { memory.deallocate() }

  /// `byteCount` bytes with whatever was in them; those given out before are no longer valid.
  func bytes(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if memory.count < byteCount || (memory.count > keptByteCountMax && byteCount <= keptByteCountMax) {
      memory.deallocate()
      memory = .allocate(byteCount: max(byteCount, 4096), alignment: 16)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
  }
}

/// Scratch memories lent one at a time: who walks a log may look into another meanwhile.
final class ScratchBuffers {
  private var free: [ScratchBuffer] = []
  private static let freeMax = 4

  func take() -> ScratchBuffer { free.popLast() ?? ScratchBuffer() }

  func giveBack(_ scratch: ScratchBuffer) {
    if free.count < Self.freeMax { free.append(scratch) }
  }
}
