package import Effects
package import Primitives
internal import Records

/// A closed segment that is to be read again, to see whether it still is what was once written: nobody else looks at old
/// records until they are needed, and then it is too late to fetch them from a replica or a copy. May be carried to a disk
/// thread, done there with `run`, and brought back to `Log.finishScrub`.
///
/// It opens its own file, by its name.
package struct ScrubWork: Sendable {
  let source: CleaningSource
  /// The log's counts of cuts and swaps: by these it knows whether the segment is still the one that was read.
  let cutCount: Int
  let swapCount: Int

  package var byteCount: Int64 { source.byteCount }

  /// Reads the segment and checks every batch; on whatever thread.
  ///
  /// - Parameters:
  ///   - throttle: told of each number of bytes that were read; may sleep.
  ///   - mustStop: asked at least once in a MiB; true ends the work.
  package func run(
    _ fileSystem: any FileSystem, throttle: @escaping (Int) -> Void, mustStop: @escaping () -> Bool
  ) -> ScrubOutcome {
    let pace = CleaningPace(throttle: throttle, mustStop: mustStop)
    do throws(CleaningStop) {
      let reader = try CleaningReader(source, number: 0, fileSystem, pace, ScratchBuffer())
      while try reader.next() != nil {}
      return .sound
    } catch {
      switch error {
      case .damaged(let damage): return .damaged(damage)
      case .failed(let cause): return .failed(cause)
      case .stopped, .gaveUp: return .stopped
      }
    }
  }
}

/// What came of `ScrubWork.run`.
package enum ScrubOutcome: Sendable {
  case sound
  case damaged(CleaningDamage)
  case failed(IOError)
  case stopped
}

extension Log {
  /// The first closed segment behind `offset` that is not known to be damaged, to be read again, and its base offset; nil
  /// when there is none. The active segment is not looked at: it was written, or checked, not long ago.
  package func scrubWork(after offset: Offset) -> (work: ScrubWork, baseOffset: Offset)? {
    guard !isFenced, swap == nil else { return nil }
    for number in segments.indices.dropLast() where segments[number].baseOffset > offset {
      let segment = segments[number]
      guard segment.damages.isEmpty, segment.writtenByteCount > 0 else { continue }
      return (ScrubWork(source: source(of: number), cutCount: cutCount, swapCount: swapCount), segment.baseOffset)
    }
    return nil
  }

  /// The closed segment that holds `offset`, to be read again because a read found damage that is not known; nil where the
  /// offset is known to be damaged, where other damage of the segment comes first, and for the active segment.
  package func scrubWork(holding offset: Offset) -> ScrubWork? {
    guard !isFenced, swap == nil, offset >= segments[0].baseOffset, offset < logEndOffset, !isKnownDamage(at: offset)
    else { return nil }
    let number = segmentNumber(of: offset)
    guard segments[number] !== active, segments[number].damages.isEmpty else { return nil }
    return ScrubWork(source: source(of: number), cutCount: cutCount, swapCount: swapCount)
  }

  /// A scrub found nothing: what of the segment is in memory is what was written.
  package func noteSound(_ work: ScrubWork) {
    guard work.cutCount == cutCount, work.swapCount == swapCount else { return }
    segments.first { $0.baseOffset == work.source.baseOffset }?.uncheckedByteCount = 0
  }

  /// Takes the outcome of a scrub: damage is known, reported and not served from now on. Returns the offsets that it took;
  /// nil where there is none, or the segment has gone meanwhile.
  @discardableResult
  package func finishScrub(_ work: ScrubWork, _ outcome: ScrubOutcome) throws(LogError) -> Range<Offset>? {
    guard case .damaged(let damage) = outcome, !isFenced, work.cutCount == cutCount, work.swapCount == swapCount,
      let segment = segments.first(where: { $0.baseOffset == work.source.baseOffset }), segment !== active
    else { return nil }
    return try noteDamage(
      in: segment, at: damage.position, reason: damage.reason, walkingFrom: damage.position, damage.dueOffset)
  }
}
