// Faults in words, for the log and the command line: what is wrong, the setting concerned with its value and its source
// (secrets hidden), and what to do.

import Cryptography
import Domain
import Persistence
import Policy
import SQLite
import Settings
import Storage

struct FaultReport: Sendable {
    private let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// One line.
    func words(for error: any Error) -> String {
        switch error {
        case let fault as DatabaseFault: Redaction.text(self.words(for: fault))
        case let fault as StorageFault: Redaction.text(self.words(for: fault))
        case let fault as PolicyFault: Redaction.text(self.words(for: fault))
        case let refused as DataLock.Refused:
            self.line(
                .data, self.configuration[.data], refused.description,
                refused.isHeldByAnother
                    ? "stop that process, or set 'data' to another directory"
                    : "give the directory to the user that runs this program, or set 'data' to another one")
        case is SealedBox.Failure:
            "secrets.key (\(self.configuration.source(of: .secretsKey))): \(FaultText.of(error)); every process on one "
                + "database needs the same key"
        default: FaultText.of(error)
        }
    }

    /// Runs `body`. Faults of database and storage become failures that name the setting.
    func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error where error is DatabaseFault || error is StorageFault || error is DataLock.Refused {
            throw Deployment.Failure(description: self.words(for: error))
        }
    }

    private func line<Setting>(
        _ setting: Settings.Setting<Setting>, _ value: String, _ text: String, _ remedy: String?
    ) -> String {
        "\(setting.name) = \(value) (\(self.configuration.source(of: setting))): \(text)"
            + (remedy.map { "; \($0)" } ?? "")
    }

    private func words(for fault: DatabaseFault) -> String {
        if case .poolTimeout = fault {
            return self.line(
                .databasePoolSize, String(self.configuration[.databasePoolSize]), fault.description,
                "raise it if the database has room for more connections")
        }
        guard let remedy = self.remedy(for: fault) else { return fault.description }
        return self.line(.databaseURL, self.configuration[.databaseURL].description, fault.description, remedy)
    }

    /// Nil if no setting is concerned.
    private func remedy(for fault: DatabaseFault) -> String? {
        let isFile = if case .sqlite = self.configuration[.databaseURL] { true } else { false }
        return switch fault {
        case .unavailable, .commitUnknown:
            isFile
                ? "check that the file and its directory can be read and written"
                : "check that the server runs and that address, user and password are right"
        case .full: "free disk space; what is stored can still be read"
        case .readOnly:
            isFile
                ? "make the file and its directory writable"
                : "name the primary server; with several hosts, add target_session_attrs=read-write"
        case .accessDenied:
            isFile ? "give the file to the user that runs this program" : "check user, password and the role's rights"
        case .damaged: "restore the database from a backup"
        case .migration: "run the release of this program that fits the database"
        case .contention, .statementTimeout, .poolTimeout, .duplicate, .reference, .immutable, .unreadable, .poisoned,
            .other:
            nil
        }
    }

    private func words(for fault: StorageFault) -> String {
        let isFile = if case .file = self.configuration[.storageURL] { true } else { false }
        let remedy: String?
        switch fault {
        case .accessDenied(_, let cause):
            switch cause {
            case .denied:
                remedy =
                    isFile
                    ? "give the directory to the user that runs this program"
                    : "check the rights of the access key (storage.s3.accessKey) on the bucket"
            case .unknownKey: remedy = "check storage.s3.accessKey (\(self.configuration.source(of: .s3AccessKey)))"
            case .wrongSecret: remedy = "check storage.s3.secretKey (\(self.configuration.source(of: .s3SecretKey)))"
            case .clockSkew: remedy = "synchronize the clocks of both machines"
            }
        case .unavailable(_, let cause):
            switch cause {
            case .missingBucket: remedy = "create the bucket, or correct the name"
            case .insecure:
                remedy =
                    "set storage.s3.caFile, here \(self.configuration[.s3CAFile] ?? "the system's authorities"), to the "
                    + "certificate of the store's authority"
            case .unknownHost: remedy = "check the endpoint and the name service"
            case .refused, .timedOut: remedy = "check that the store runs and that the endpoint is right"
            case .noAnswer: remedy = isFile ? "check the disk" : "look at the log of the store"
            }
        case .full: remedy = "free space in the store; what is stored can still be read"
        case .missing, .damaged, .mismatch, .invalidPart, .tooLarge: remedy = nil
        case .foreign, .other: remedy = nil
        }
        guard remedy != nil || fault.concernsStore else { return fault.description }
        return self.line(.storageURL, self.configuration[.storageURL].description, fault.description, remedy)
    }

    private func words(for fault: PolicyFault) -> String {
        switch fault {
        case .timedOut:
            self.line(
                .policyEvaluationTimeoutMS, String(self.configuration[.policyEvaluationTimeoutMS]), fault.description,
                "raise it if the policy server needs longer")
        case .unreliable:
            self.line(
                .policyHTTPURL, self.configuration[.policyHTTPURL]?.description ?? "none", fault.description,
                "look at the log of the policy server")
        }
    }
}

extension StorageFault {
    /// Whether it concerns the store, and not one object in it.
    fileprivate var concernsStore: Bool {
        switch self {
        case .accessDenied, .unavailable, .full, .foreign, .other: true
        case .missing, .damaged, .mismatch, .invalidPart, .tooLarge: false
        }
    }
}
