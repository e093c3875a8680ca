import Broker
import Configuration
import Effects
import Glibc
import Primitives
import Storage
import Testing

@testable import Runtime

@Suite struct DiskThreadsTests {
  private func results(_ mailbox: Mailbox, _ count: Int) -> [(DiskToken, DiskResult)] {
    var found: [(DiskToken, DiskResult)] = []
    while found.count < count {
      for message in mailbox.take() { if case .disk(let token, let result) = message { found.append((token, result)) } }
      usleep(1000)
    }
    return found
  }

  @Test func eachJobComesBackToItsShardWithItsResult() throws {
    let folder = try TemporaryFolder()
    let mailboxes = [Mailbox(), Mailbox()]
    let threads = DiskThreads(
      folders: [folder.path], fileSystem: LinuxFileSystem(), flushThreads: 4, mailboxes: mailboxes
    )
    threads.submit(.measureSpace(folder.path), token: DiskToken(1), shard: 0, folder: 0)
    threads.submit(.measureSpace(folder.path + "/nothing"), token: DiskToken(2), shard: 1, folder: 0)
    threads.submit(.syncAll(folder.path), token: DiskToken(3), shard: 1, folder: 0)
    guard case .space(let total, let usable)? = results(mailboxes[0], 1).first?.1 else {
      Issue.record("no space was measured")
      return
    }
    #expect(usable > 0 && usable < total)
    let second = results(mailboxes[1], 2).sorted { $0.0.value < $1.0.value }
    #expect(second.map(\.0) == [DiskToken(2), DiskToken(3)])
    if case .failed = second[0].1 {} else { Issue.record("\(second[0].1)") }
    if case .done = second[1].1 {} else { Issue.record("\(second[1].1)") }
    threads.stop()
  }

  /// A disk that has failed is asked nothing, but to note that.
  @Test func aDiskThatFailedIsOnlyToldThat() throws {
    let folder = try TemporaryFolder()
    let fileSystem = LinuxFileSystem()
    try BootMark.renew("this boot", in: folder.path, fileSystem)
    let mailbox = Mailbox()
    let threads = DiskThreads(
      folders: [folder.path], fileSystem: fileSystem, flushThreads: 1, mailboxes: [mailbox])
    threads.submit(.syncAll(folder.path + "/nothing"), token: DiskToken(1), shard: 0, folder: 0)
    threads.submit(.syncAll(folder.path), token: DiskToken(2), shard: 0, folder: 0)
    threads.submit(.forgetRun(folder.path), token: DiskToken(3), shard: 0, folder: 0)
    let found = results(mailbox, 3).map(\.1)
    threads.stop()
    if case .failed = found[1] {} else { Issue.record("\(found[1])") }
    if case .done = found[2] {} else { Issue.record("\(found[2])") }
    #expect(try !BootMark.isCurrent("this boot", in: folder.path, fileSystem))
  }

  /// What is given before the stop is done before it ends: a clean stop leaves nothing behind.
  @Test func aStopFinishesWhatItWasGiven() throws {
    let folder = try TemporaryFolder()
    let mailbox = Mailbox()
    let threads = DiskThreads(
      folders: [folder.path], fileSystem: LinuxFileSystem(), flushThreads: 1, mailboxes: [mailbox]
    )
    let offsets = [TopicPartition("orders", 0): Offset(5)]
    for number in 0..<20 {
      threads.submit(
        .checkpoint(.recoveryPoint, logDirectory: folder.path, offsets), token: DiskToken(UInt64(number)), shard: 0,
        folder: 0)
    }
    threads.stop()
    #expect(results(mailbox, 20).count == 20)
    let file = OffsetCheckpoint(.recoveryPoint, logDirectory: folder.path, fileSystem: LinuxFileSystem())
    #expect(try file.read() == offsets)
  }

  /// Real logs, more of them than one thread syncs one by one, and more than the whole file system is synced for.
  @Test(arguments: [3, 200]) func aFlushBringsLogsToTheDisk(logCount: Int) throws {
    let folder = try TemporaryFolder()
    let fileSystem = LinuxFileSystem()
    let environment = LogEnvironment(
      fileSystem: fileSystem, handles: FileHandleCache(fileSystem: fileSystem, openFilesMax: 1000))
    let config = BrokerConfig().topicConfig(overrides: [:])
    var logs: [Log] = []
    for number in 0..<logCount {
      logs.append(
        try Log.open(
          directory: folder.path + "/orders-\(number)", topicPartition: TopicPartition("orders", Int32(number)),
          topicID: UUID(high: 1, low: 2), config: LogConfig(config), environment: environment, recovery: .clean,
          now: Timestamp(milliseconds: 0)))
    }
    let works = try logs.compactMap { try $0.beginFlush() }
    #expect(works.count == logCount)
    let mailbox = Mailbox()
    let threads = DiskThreads(
      folders: [folder.path], fileSystem: fileSystem, flushThreads: 4, mailboxes: [mailbox])
    threads.submit(.flush(works), token: DiskToken(9), shard: 0, folder: 0)
    if case .done? = results(mailbox, 1).first?.1 {} else { Issue.record("the flush failed") }
    threads.stop()
    for (log, work) in zip(logs, works) { log.finishFlush(work, failure: nil) }
    #expect(try logs.allSatisfy { try $0.beginFlush() == nil })
  }

  /// A topic was deleted, and its folder renamed, between the start of a flush and its run.
  @Test func aFolderThatIsNotThereAnyMoreIsNoFailure() throws {
    let folder = try TemporaryFolder()
    try FlushWork.syncNames(in: folder.path + "/gone", LinuxFileSystem())
    #expect(throws: IOError.self) { try LinuxFileSystem().syncDirectory(folder.path + "/gone") }
  }
}
