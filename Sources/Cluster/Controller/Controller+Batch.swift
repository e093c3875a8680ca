package import Primitives

/// What several commands lead to, each decided on what the ones before it leave: to be appended as one.
package struct ControllerBatch: Sendable {
  /// The records of all, in their order; none when nothing changes.
  package var records: [MetadataRecord] = []
  /// One for each command. The replies hold once the records are committed; refusals hold at once, for a refused command
  /// leaves nothing.
  package var results: [Result<ControllerReply, KafkaError>] = []
}

extension Controller {
  /// Decides `commands` in their order. This controller stays as it is: what comes of it is replayed when it is committed,
  /// and where the append fails, nothing has happened.
  package func decideBatch(_ commands: [ControllerCommand], at now: Timestamp) -> ControllerBatch {
    var scratch = self
    var batch = ControllerBatch()
    for command in commands {
      do throws(KafkaError) {
        let decision = try scratch.decide(command, at: now)
        for record in decision.records { scratch.replay(record, at: scratch.image.nextOffset) }
        batch.records += decision.records
        batch.results.append(.success(decision.reply))
      } catch {
        batch.results.append(.failure(error))
      }
    }
    return batch
  }
}
