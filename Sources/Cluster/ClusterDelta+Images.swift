extension ClusterDelta {
  /// What differs between two images, however the second came about: a snapshot has taken the place of the records between.
  package static func between(_ before: ClusterImage, _ after: ClusterImage) -> ClusterDelta {
    collect(before.snapshotRecords() + after.snapshotRecords(), before: before, after: after)
  }
}
