internal import Effects
internal import Primitives

/// Something that the ensemble has answered and that need not be so.
struct Doubt {
  let sentence: String
  var count: Int
  var last: Instant
}

extension EnsembleCoordination {
  static let doubtsMax = 10
  private static let loginDoubtsMax = 3
  private static let doubtMs: Int64 = 60_000

  /// What one server answers need not be what the ensemble holds: a broker has read a log node that could not be so, four times, and the
  /// right one half a second later, while servers were being killed. A session of its own asks again, most likely another server; only
  /// what is so each time is believed, for a broker that believes it has to end.
  ///
  /// What was taken in stays: whole changes, each of which began where the one before it ended.
  func doubt(_ sentence: String, max: Int = doubtsMax) {
    guard !link.isEnding else { return }
    let now = time.now()
    var doubt = reader.doubt ?? Doubt(sentence: sentence, count: 0, last: now)
    if doubt.sentence != sentence || now >= doubt.last.advanced(byMilliseconds: Self.doubtMs) {
      doubt = Doubt(sentence: sentence, count: 0, last: now)
    }
    doubt.count += 1
    doubt.last = now
    reader.doubt = doubt
    guard doubt.count < max else { return refuse(sentence) }
    events.append(.doubted(sentence))
    abandonSession()
    tellConnection(false)
    reader.forgetMissing()
    connect()
    pause()
  }

  /// A node is closed to us, or so it seems. Interleaving: a connection is made anew, and the library's thread is about to send the login ahead of
  /// all else; another thread sends a request at that moment, which overtakes it. So it is believed when it is so again.
  func doubtLogin() {
    doubt(
      "\(settings.address) denies this broker access below \(paths.root). The nodes there belong to another login: "
        + "give this broker the same one, or let it have another chroot.", max: Self.loginDoubtsMax)
  }

  func doubtDamage(_ path: String, _ what: String = "cannot be read") {
    doubt(
      "\(path) in \(settings.address) \(what): it is damaged, or was written by a newer release. Upgrade this broker; or restore the "
        + "ensemble from a copy.")
  }
}
