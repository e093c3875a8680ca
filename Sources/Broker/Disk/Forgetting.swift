internal import Primitives
internal import Storage

/// What the checkpoint files have yet to forget, on the shard that keeps them; see `HeldLogs`.
///
/// A piece is what one image wants to have forgotten. It is done when a writing of each of its files has gone well that began
/// after the lines were taken out. Names are free up to an image when all shards have applied it, for only then nobody has a
/// log of them open, and all pieces up to it are done.
struct Forgetting {
  private struct Piece {
    let number: UInt64
    let image: UInt64
    var files: Set<OffsetCheckpoint.Name>
    var isBeingCleaned = false
  }

  private var pieces: [Piece] = []
  private(set) var pieceCount: UInt64 = 0
  /// Images that have something to forget, until it has been told that it is.
  private var wantedImages: Set<UInt64> = []

  /// Lines were taken out of what these files are to say.
  mutating func begin(_ files: Set<OffsetCheckpoint.Name>, image: UInt64) {
    pieceCount += 1
    pieces.append(Piece(number: pieceCount, image: image, files: files))
    wantedImages.insert(image)
  }

  /// A log that is gone is still being cleaned: returns what ends that.
  mutating func beginCleaning(image: UInt64) -> UInt64 {
    begin([], image: image)
    pieces[pieces.count - 1].isBeingCleaned = true
    return pieceCount
  }

  mutating func cleaned(_ number: UInt64) { pieces.removeAll { $0.number == number } }

  /// Whether a file has not been written yet since lines were taken out of it.
  func isPending(_ file: OffsetCheckpoint.Name) -> Bool { pieces.contains { $0.files.contains(file) } }

  /// A file has been written; when that began there were so many pieces.
  mutating func wrote(_ file: OffsetCheckpoint.Name, covering count: UInt64) {
    for place in pieces.indices where pieces[place].number <= count { pieces[place].files.remove(file) }
    free()
  }

  private mutating func free() { pieces.removeAll { $0.files.isEmpty && !$0.isBeingCleaned } }

  /// Up to which image names have become free, now that all shards have applied `appliedImage`; nil where nothing has changed.
  mutating func newlyFree(appliedImage: UInt64) -> UInt64? {
    free()
    let limit = min(appliedImage, (pieces.map(\.image).min() ?? .max) - 1)
    guard let last = wantedImages.filter({ $0 <= limit }).max() else { return nil }
    wantedImages = wantedImages.filter { $0 > limit }
    return last
  }
}

extension Shard {
  /// Lines of these partitions are nobody's: the files are written without them.
  func forgetCheckpoints(of partitions: [TopicPartition], image: UInt64) {
    for folder in checkpoints.indices { for partition in partitions { checkpoints[folder].forget(partition) } }
    // Those that were read at the start may be in the files though they are in no folder.
    forgetting.begin(Set(OffsetCheckpoint.Name.allCases), image: image)
    for name in OffsetCheckpoint.Name.allCases { writeCheckpoint(name) }
  }

  /// Tells all shards which names are free for new logs, where that has changed.
  func tellFreeNames() {
    guard let image = forgetting.newlyFree(appliedImage: appliedEverywhere) else { return }
    for shard in 0..<count where shard != index {
      environment.links.send(.checkpointsForgotten(upTo: image), to: shard)
    }
    checkpointsForgotten(upTo: image)
  }

  /// The last image of which all before it, and it, have been applied by all shards.
  private var appliedEverywhere: UInt64 {
    guard let missing = controllerHost?.spreading.keys.min() else { return heldLogs.image }
    return missing - 1
  }

  /// An image has been spread that lets logs go. Where one of them is being cleaned here, its name is not free before that has
  /// ended; other shards say so by being late with `imageApplied`.
  func holdNamesWhileCleaning(image: UInt64) {
    guard cleaning?.hosted.isGone == true else { return }
    let number = forgetting.beginCleaning(image: image)
    whenNoGoneLogIsCleaned { [unowned self] in
      forgetting.cleaned(number)
      tellFreeNames()
    }
  }
}
