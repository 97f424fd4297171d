// Versions as `/v1` shows them. Shapes: HTTP contract, 3.5.

import Domain
import HTTP
import Registry

extension PackageVersion {
    /// The keys that most answers begin with.
    var names: [JSON.Member] {
        [
            .init("versionId", JSON(self.id)), .init("repoKey", .string(self.repository.key.text)),
            .init("packageType", .string(self.coordinate.package.type)),
            .init("packageNamespace", JSON(self.coordinate.package.namespace)),
            .init("packageName", .string(self.coordinate.package.name)),
            .init("version", .string(self.coordinate.version)), .init("state", .string(self.state.rawValue)),
        ]
    }
}

extension OpenedDraft {
    var json: JSON {
        .object(
            self.draft.version.names + [
                .init("createdAtUtc", JSON(self.draft.version.createdAt)), .init("reusedDraft", .bool(self.isReused)),
            ])
    }
}

extension StoredManifest {
    var json: JSON {
        [
            "versionId": JSON(self.version.id), "repoKey": .string(self.version.repository.key.text),
            "packageType": .string(self.version.coordinate.package.type),
            "state": .string(self.version.state.rawValue), "manifestBlobDigest": JSON(self.blob?.hex),
            "manifest": self.document,
        ]
    }
}

extension Publication {
    var json: JSON {
        var members = self.version.names + [.init("publishedAtUtc", JSON(self.version.publishedAt))]
        if let event = self.event { members.append(.init("outboxEventId", .string(event.description))) }
        if let quarantine = self.quarantine { members.append(.init("quarantineId", JSON(quarantine))) }
        return .object(
            members + [
                .init("eventEmitted", .bool(!self.isRepeated)), .init("idempotent", .bool(self.isRepeated)),
            ])
    }
}

extension TombstonedVersion {
    var json: JSON {
        let state = JSON.Member("state", .string(VersionState.tombstoned.rawValue))
        var members = Array(self.version.names.dropLast()) + [state]
        if let time = self.tombstonedAt { members.append(.init("tombstonedAtUtc", JSON(time))) }
        members += [
            .init("retentionUntilUtc", JSON(self.retentionUntil)), .init("approvalId", .null),
            .init("idempotent", .bool(self.isRepeated)),
        ]
        return .object(members)
    }
}
