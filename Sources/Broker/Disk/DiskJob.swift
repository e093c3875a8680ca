internal import Coordination
package import Effects
package import Primitives
package import Storage

/// Work that may have to wait for a disk: never done on a shard's thread, so that a stalled disk stalls only those who
/// need it. What it works on is in the job; what came of it goes back to the shard that gave it.
package enum DiskJob: Sendable {
  /// Brings logs of one data folder to the disk.
  case flush([FlushWork])
  /// Brings everything of the file system that holds this folder to the disk.
  case syncAll(String)
  /// Reads what is not in memory, and checks it: the answer that needs it finds it there.
  case read(ColdRead)
  /// Removes files that belong to no log any more, and whole folders.
  case remove(files: [String], folders: [String])
  /// Replaces a checkpoint file of a data folder.
  case checkpoint(OffsetCheckpoint.Name, logDirectory: String, [TopicPartition: Offset])
  /// Asks how much room a data folder's file system has left.
  case measureSpace(String)
  /// Writes a log's old segments anew, together with others of its kind at most so fast and on so many threads.
  case clean(CleaningWork, bytesPerSecondMax: Double, threadCount: Int)
  /// Brings a step of the swap after that to the disk.
  case swap(SwapSync)
  /// Removes what a cleaning wrote in vain.
  case discard(CleaningWork, CleaningOutcome)
  /// Reads an old segment again.
  case scrub(ScrubWork, bytesPerSecondMax: Double)
  /// Writes what another replica has where an old segment is damaged.
  case repair(RepairWork)
  /// Notes in a data folder that it is written under this boot, and which folders of log.dirs there are.
  case noteRun(String, all: [String], boot: String?)
  /// Takes the note away that nothing written under this boot is lost.
  case forgetRun(String)
}

/// What came of a job.
package enum DiskResult: Sendable {
  case done
  case failed(IOError)
  /// A cold read: nil when every batch is sound, else where the first damaged one begins, and why it is.
  case checked(ColdRead.Damage?)
  case space(totalBytes: Int64, usableBytes: Int64)
  case cleaned(CleaningOutcome)
  case scrubbed(ScrubOutcome)
  case repaired(RepairOutcome)
}

/// How fast background work may go, and whether it may go on.
package protocol DiskPace: Sendable {
  /// So many bytes were read or written; returns when more may be.
  func spend(_ byteCount: Int, bytesPerSecondMax: Double)
  var mustStop: Bool { get }
}

/// Which threads of a data folder do a job: those of one lane never wait for those of another.
package enum DiskLane: Sendable, CaseIterable {
  /// One flush after the other; whatever comes during one is part of the next.
  case flush
  /// Somebody waits for it.
  case prompt
  /// Nobody does: it goes on beside everything else, and takes its time. Shared by all folders.
  case background
}

extension DiskJob {
  package var lane: DiskLane {
    switch self {
    // Notes that contradict each other are written in their order.
    case .flush, .syncAll, .noteRun, .forgetRun: .flush
    case .read, .remove, .checkpoint, .measureSpace, .swap, .discard, .repair: .prompt
    case .clean, .scrub: .background
    }
  }

  /// How many threads may do work of this kind at the same time; nil where it does not matter.
  package var threadCount: Int? { if case .clean(_, _, let count) = self { count } else { nil } }

  /// Whether a disk is asked that has failed before.
  package var isForFailedDisks: Bool { if case .forgetRun = self { true } else { false } }

  package var isScrub: Bool { if case .scrub = self { true } else { false } }

  /// Does the job, on whatever thread. Only background work looks at `pace`.
  package func run(_ fileSystem: any FileSystem, _ pace: any DiskPace) -> DiskResult {
    do throws(IOError) {
      switch self {
      case .flush(let works): for work in works { try work.run(fileSystem) }
      case .syncAll(let path): try fileSystem.syncAll(holding: path)
      case .read(let read): return .checked(try read.run())
      case .remove(let files, let folders): try Self.remove(files, folders, fileSystem)
      case .checkpoint(let name, let directory, let offsets):
        try OffsetCheckpoint(name, logDirectory: directory, fileSystem: fileSystem).write(offsets)
      case .measureSpace(let path):
        let space = try fileSystem.space(at: path)
        return .space(totalBytes: space.totalBytes, usableBytes: space.usableBytes)
      case .clean(let work, let rate, _):
        let throttle = { (count: Int) in pace.spend(count, bytesPerSecondMax: rate) }
        return .cleaned(work.run(fileSystem, throttle: throttle, mustStop: { pace.mustStop }))
      case .swap(let sync): try sync.run(fileSystem)
      case .discard(let work, let outcome): work.discard(outcome, fileSystem)
      case .scrub(let work, let rate):
        let throttle = { (count: Int) in pace.spend(count, bytesPerSecondMax: rate) }
        return .scrubbed(work.run(fileSystem, throttle: throttle, mustStop: { pace.mustStop }))
      case .repair(let work): return .repaired(try work.run(fileSystem))
      case .noteRun(let directory, let all, let boot): return Self.noteRun(directory, all, boot, fileSystem)
      case .forgetRun(let directory): try BootMark.forget(in: directory, fileSystem)
      }
      return .done
    } catch { return .failed(error) }
  }

  private static func noteRun(
    _ directory: String, _ all: [String], _ boot: String?, _ fileSystem: any FileSystem
  ) -> DiskResult {
    do throws(StartError) { try KnownFolders.note(all, in: directory, fileSystem) } catch {
      guard case .io(let cause) = error else {
        return .failed(IOError(operation: "read", path: directory + "/" + IdentityFile.name, errno: 22))
      }
      return .failed(cause)
    }
    do throws(IOError) { try BootMark.renew(boot, in: directory, fileSystem) } catch { return .failed(error) }
    return .done
  }

  /// Removes all it can; throws the first failure. That a folder has another name is on the disk before it is emptied: what
  /// a power cut leaves of it must not pass for a partition.
  private static func remove(_ files: [String], _ folders: [String], _ fileSystem: any FileSystem) throws(IOError) {
    var failure: IOError?
    func attempt(_ removal: () throws(IOError) -> Void) {
      do throws(IOError) { try removal() } catch { if !error.isMissing { failure = failure ?? error } }
    }
    for file in files { attempt { () throws(IOError) in try fileSystem.removeFile(file) } }
    for parent in Set(folders.map(Self.parent(of:))).sorted() {
      attempt { () throws(IOError) in try fileSystem.syncDirectory(parent) }
    }
    for folder in folders { attempt { () throws(IOError) in try fileSystem.removeDirectory(folder) } }
    if let failure { throw failure }
  }

  private static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}

/// A job's way back to where it came from.
package struct DiskToken: Hashable, Sendable {
  package let value: UInt64
  package init(_ value: UInt64) { self.value = value }
}

/// The threads that wait for disks, or the simulator's idea of them.
package protocol DiskWorkers: AnyObject {
  /// Runs `job` for the data folder with this number in log.dirs; then `Shard.diskFinished` is called with its token, in a
  /// later turn of the shard that submitted it.
  func submit(_ job: DiskJob, token: DiskToken, directory: Int)
  /// Background work with this token, of this folder, is to end; its result comes all the same, and soon.
  func cancel(_ token: DiskToken, directory: Int)
}

extension Shard {
  /// Gives a job to the threads of a data folder; `then` is called with what came of it, in a later turn.
  @discardableResult
  func onDisk(_ directory: Int, _ job: DiskJob, then: @escaping (DiskResult) -> Void) -> DiskToken {
    diskJobCount &+= 1
    let token = DiskToken(diskJobCount)
    diskJobs[token] = then
    environment.disk.submit(job, token: token, directory: directory)
    return token
  }

  /// A job of this shard has been done.
  package func diskFinished(_ token: DiskToken, _ result: DiskResult) {
    diskJobs.removeValue(forKey: token)?(result)
  }

  /// Whether jobs are under way.
  package var isOnDisk: Bool { !diskJobs.isEmpty }
}
