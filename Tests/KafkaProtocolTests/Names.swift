import Primitives

/// Foundation has a UUID too.
typealias KafkaUUID = Primitives.UUID
