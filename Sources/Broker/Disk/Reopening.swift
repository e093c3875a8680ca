internal import Cluster
internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Partitions whose logs could not be opened for a reason that passes, a full disk or too many open files: they are offline
/// until an attempt goes well, or the topic is gone.
struct Reopening {
  var waiting: [Place] = []
  var hasTimer = false

  struct Place: Hashable, Comparable {
    let topicID: UUID
    let partition: Int32

    static func < (left: Place, right: Place) -> Bool {
      left.topicID == right.topicID ? left.partition < right.partition : left.topicID < right.topicID
    }
  }
}

extension Shard {
  private static let reopenPauseMs: Int64 = 1000
  /// So many logs are opened between two looks at what else there is to do.
  private static let reopenCountMax = 16

  /// Says that a log could not be opened, and has it tried again where that may help.
  func noteUnopened(_ topic: TopicImage, _ partition: TopicPartition, _ directory: String, _ error: IOError) {
    let mayPass = error.isOutOfSpace || error.isOutOfDescriptors
    environment.logger.error(
      "\(partition) cannot be opened in \(directory), it stays offline \(mayPass ? "and is tried again each second" : "until a restart"): \(error)"
    )
    if mayPass { reopenLater([Reopening.Place(topicID: topic.id, partition: partition.partition)], Self.reopenPauseMs) }
  }

  private func reopenLater(_ places: some Sequence<Reopening.Place>, _ pauseMs: Int64) {
    reopening.waiting += places
    guard !reopening.hasTimer, !reopening.waiting.isEmpty else { return }
    reopening.hasTimer = true
    timers.schedule(.reopen, at: now.advanced(byMilliseconds: pauseMs))
  }

  /// Tries again. The first log that still cannot be opened speaks for the rest.
  func reopenTimerFired() {
    reopening.hasTimer = false
    let waiting = reopening.waiting
    reopening.waiting = []
    // What it held may be in a folder that has failed since: an empty log must not pass for it.
    guard folders.indices.allSatisfy({ isWorking($0) }) else { return }
    var openedCount = 0
    for (number, place) in waiting.enumerated() {
      guard let routed = topicsByID[place.topicID], case .offline? = routed.place(place.partition),
        let topic = image.topic(id: place.topicID), let partition = topic.partition(place.partition)
      else { continue }
      guard openedCount < Self.reopenCountMax else {
        reopenLater(waiting[number...], 1)
        break
      }
      let config = config.topicConfig(overrides: topic.configs)
      do throws(IOError) {
        guard let hosted = try openLog(topic, place.partition, partition, config) else {
          if heldLogs.isWaiting(place) { routed.places[Int(place.partition)] = .opening }
          continue
        }
        routed.places[Int(place.partition)] = .here(hosted)
        compareLost(place)
        environment.logger.info("\(hosted.partition.topicPartition) could be opened now")
        openedCount += 1
      } catch {
        reopenLater(waiting[number...], Self.reopenPauseMs)
        break
      }
    }
    forgetLines()
    guard openedCount > 0 else { return }
    lastTopic = nil
    // What a process that died had written may be in the page cache only.
    if startMode.wasCleanShutdown { haveToldRecoveryPoints() } else { syncAll {} }
  }

  /// The folders of a deleted topic's partitions that could not be opened go with it.
  func dropUnopened(_ topic: TopicImage, _ routed: RoutedTopic) {
    for (number, place) in routed.places.enumerated() {
      switch place {
      case .offline, .opening: break
      case .here, .shard, .elsewhere: continue
      }
      guard owner(of: topic.id, number) == index else { continue }
      let partition = TopicPartition(topic.name, Int32(number))
      for (folder, parent) in config.logDirs.enumerated() where isWorking(folder) {
        let directory = parent + "/" + partition.description
        guard environment.fileSystem.isDirectory(directory) else { continue }
        do throws(IOError) {
          let id = try Log.topicID(inFolder: directory, fileSystem: environment.fileSystem)
          guard id == nil || id == topic.id else { continue }
          deletedFolders.append(try Log.markDeleted(directory, id: topic.id, fileSystem: environment.fileSystem))
        } catch { environment.logger.error("\(partition): removing \(directory) failed: \(error)") }
      }
    }
  }
}
