internal import Effects
internal import Primitives
internal import Storage

/// Partitions that more than one data folder holds: a copy that somebody left, or a disk that was away and came back while
/// its partitions had begun anew. Whichever is taken, what the other holds would be hidden, and be missed by no one.
enum DoubledFolders {
  /// Why a start on these folders might hide records; nil where it does not. Folders that belong to different topics are
  /// told apart later, by the ids of the topics.
  static func refusal(among directories: [String], _ fileSystem: any FileSystem) throws(IOError) -> String? {
    guard directories.count > 1 else { return nil }
    var holders: [String: [String]] = [:]
    for directory in directories {
      for name in try fileSystem.list(directory) where LogFileName.topicPartition(ofFolder: name) != nil {
        holders[name, default: []].append(directory)
      }
    }
    var doubled: [(name: String, holders: [String])] = []
    for (name, holders) in holders.filter({ $0.value.count > 1 }).sorted(by: { $0.key < $1.key }) {
      var byTopic: [UUID?: [String]] = [:]
      for holder in holders {
        // What cannot be read is for the opening of the log to say.
        let id = (try? Log.topicID(inFolder: holder + "/" + name, fileSystem: fileSystem)) ?? nil
        byTopic[id, default: []].append(holder)
      }
      if let same = holders.lazy.compactMap({ holder in byTopic.values.first { $0.contains(holder) && $0.count > 1 } })
        .first
      {
        doubled.append((name, same))
      }
    }
    guard let first = doubled.first else { return nil }
    let folders = first.holders.map { "\($0)/\(first.name)" }.joined(separator: " and ")
    let others = doubled.count > 1 ? ", and \(doubled.count - 1) more partitions are in several folders" : ""
    return "\(folders) are of the same partition\(others): see with `ottla log dump` which has the records to be kept, "
      + "and move the other out of the data folder"
  }
}
