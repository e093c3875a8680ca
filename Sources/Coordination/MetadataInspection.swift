package import Cluster
package import Effects
internal import Primitives

/// Looks at the metadata of a single node that is stopped, and changes nothing.
package enum MetadataInspection {
  /// What was found in sound files.
  package struct Outcome: Sendable {
    package let recordCount: Int
    /// Bytes of an unfinished change at the end of the log: the next start cuts them off.
    package let tornByteCount: Int
    /// The cluster that the metadata is of; nil where there is none yet.
    package var clusterID: String? { image.clusterID.isEmpty ? nil : image.clusterID }
    /// What the files amount to.
    package let image: ClusterImage
  }

  /// Reads `metadata.snapshot` and `metadata.log` in `directory`; either may be missing.
  ///
  /// - Throws: `StartError` when a file cannot be read or is damaged, as a start would.
  package static func run(_ directory: String, fileSystem: any FileSystem) throws(StartError) -> Outcome {
    let files = MetadataFiles(fileSystem: fileSystem, directory: directory)
    let snapshot = try files.readSnapshot()
    var frames = [snapshot].compactMap { $0 }
    var tornByteCount = 0
    if fileSystem.exists(files.logPath) {
      let log: any File
      do throws(IOError) { log = try fileSystem.open(files.logPath, .read) } catch { throw .io(error) }
      let scan = try files.scan(log, snapshotOffset: snapshot?.lastOffset ?? Offset(-1))
      frames += scan.frames
      tornByteCount = scan.tornByteCount
    }
    var image = ClusterImage()
    for frame in frames {
      CommittedRecords(firstOffset: frame.firstOffset, records: frame.records).replay(into: &image)
    }
    return Outcome(
      recordCount: frames.reduce(0) { $0 + $1.records.count }, tornByteCount: tornByteCount,
      image: image)
  }
}
