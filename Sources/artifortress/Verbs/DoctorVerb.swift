// `artifortress doctor`: checks everything that an installation depends on, and says how to fix what is wrong. It creates
// nothing.

import Commands
import Domain
import Glibc
import Identity
import Persistence
import Registry
import SQLite
import Settings
import Storage
import Threads

enum DoctorVerb {
    static let command = Command(
        name: "doctor",
        summary: "Check database, storage, disk, clock and permissions, and say how to fix what is wrong.",
        details: "Exit code 0 where nothing is wrong, 1 where something is.", flags: [.output] + SettingsFlags.all
    ) { invocation in
        let configuration = try SettingsFlags.read(invocation)
        let findings = await Examination(configuration).findings()
        if invocation.wantsJSON {
            invocation.console.print(JSON.array(findings.map(\.json)).description)
        } else {
            for finding in findings { invocation.console.print(finding.line) }
        }
        if findings.contains(where: { $0.level == .wrong }) { throw Failure() }
    }
}

/// What the doctor says of one thing.
struct Finding: Sendable {
    enum Level: String, Sendable {
        case well = "ok"
        case doubtful = "warning"
        case wrong = "error"
    }

    let subject: String
    let level: Level
    let text: String
    /// What to do about it.
    let remedy: String?

    init(_ subject: String, _ level: Level, _ text: String, remedy: String? = nil) {
        self.subject = subject
        self.level = level
        self.text = text
        self.remedy = remedy
    }

    var line: String {
        "\(self.level.rawValue.uppercased())\t\(self.subject): \(self.text)" + (self.remedy.map { " -> \($0)" } ?? "")
    }

    var json: JSON {
        [
            "subject": .string(self.subject), "level": .string(self.level.rawValue), "text": .string(self.text),
            "remedy": JSON(self.remedy),
        ]
    }
}

struct Examination: Sendable {
    /// Below that share of free room, or these bytes, a disk is about to fill up.
    private static let (leastShare, leastBytes) = (0.05, 1 << 30)

    let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    func findings() async -> [Finding] {
        var findings = [self.dataDirectory(), self.clock()]
        findings += self.disks()
        findings += self.authorities()
        findings += await Self.policyServer(self.configuration)
        if case .sqlite(let path) = self.configuration[.databaseURL], !Self.exists(path) {
            return findings + [
                Finding("database", .doubtful, "\(path) does not exist yet", remedy: "the first start creates it")
            ]
        }
        do {
            let lock = try self.lock()
            let (database, migrations) = try Deployment.connect(self.configuration)
            findings += await self.look(at: database, migrations)
            await database.close()
            withExtendedLifetime(lock) {}
        } catch let held as DataLock.Refused where held.isHeldByAnother {
            findings.append(Finding("database", .well, "\(held): ask its /health/ready for the rest"))
        } catch {
            findings.append(Finding("database", .wrong, self.words(error)))
        }
        return findings
    }

    /// In words, with the setting concerned and what to do.
    private func words(_ error: any Error) -> String { FaultReport(self.configuration).words(for: error) }

    /// Held while the doctor reads an SQLite database; nil if there is no file to lock.
    private func lock() throws -> DataLock? {
        guard case .sqlite = self.configuration[.databaseURL] else { return nil }
        return try DataLock.existing(in: self.configuration[.data])
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0
    }

    private func authorities() -> [Finding] {
        [Setting.s3CAFile, Setting.policyHTTPCAFile].compactMap { setting in
            guard let path = self.configuration[setting] else { return nil }
            guard let problem = AuthorityFiles.problem(setting, in: self.configuration) else {
                return Finding(setting.name, .well, path)
            }
            return Finding(setting.name, .wrong, problem)
        }
    }

    private func dataDirectory() -> Finding {
        let path = self.configuration[.data]
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            return Finding("data", .doubtful, "\(path) does not exist yet", remedy: "the first start creates it")
        }
        guard status.st_mode & 0o077 == 0 else {
            return Finding(
                "data", .doubtful, "\(path) can be entered by others", remedy: "chmod 700 \(path)")
        }
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            return Finding("data", .wrong, "\(path) can't be written", remedy: "give it to the user that serves")
        }
        return Finding("data", .well, path)
    }

    private func clock() -> Finding {
        let now = WallClock.system.now()
        let built = Timestamp(microseconds: 1_767_225_600_000_000)  // 2026-01-01: this program is no older
        guard now > built else {
            return Finding(
                "clock", .wrong, "the clock says \(now)", remedy: "set the time: tokens and retention depend on it")
        }
        return Finding("clock", .well, now.description)
    }

    private func disks() -> [Finding] {
        var paths = [("data", self.configuration[.data])]
        if case .file(let path) = self.configuration[.storageURL] { paths.append(("storage", path)) }
        return paths.compactMap { name, path in
            var status = statvfs()
            guard unsafe statvfs(path, &status) == 0 else { return nil }
            let free = Int(status.f_bavail) * Int(status.f_frsize)
            let share = Double(status.f_bavail) / Double(max(1, status.f_blocks))
            let text = "\(free >> 20) MiB free (\(Int(share * 100)) %)"
            guard share >= Self.leastShare || free >= Self.leastBytes, status.f_favail > 1000 || status.f_files == 0
            else {
                return Finding(
                    "disk of \(name)", .wrong, text, remedy: "make room: publishing answers 507 when it is full")
            }
            return Finding("disk of \(name)", .well, text)
        }
    }

    private func look(at database: any Database, _ migrations: [Migration]) async -> [Finding] {
        var findings: [Finding] = []
        do {
            try await database.check()
            findings.append(
                Finding("database", .well, self.configuration[.databaseURL].description))
            let pending = try await Migrator.pending(database, migrations)
            guard pending.isEmpty else {
                findings.append(
                    Finding(
                        "schema", .wrong, "\(pending.joined(separator: ", ")) not applied",
                        remedy: "run 'artifortress migrate'"))
                return findings
            }
            findings.append(Finding("schema", .well, migrations.last?.version ?? ""))
            findings += try await self.identity(database)
            findings.append(try await self.secretsKey(database))
            findings += await self.storage(database)
        } catch {
            findings.append(Finding("database", .wrong, self.words(error)))
        }
        return findings
    }

    private func identity(_ database: any Database) async throws -> [Finding] {
        let bootstrap = BootstrapToken(configured: self.configuration[.bootstrapToken]?.value)
        guard try await database.read({ try bootstrap.isAlive($0) }) else {
            return [Finding("bootstrap token", .well, "switched off")]
        }
        return [
            Finding(
                "bootstrap token", .doubtful, "is active: anyone who has it can issue any token",
                remedy: "issue an administrator's token, then 'artifortress token bootstrap disable'")
        ]
    }

    private func storage(_ database: any Database) async -> [Finding] {
        do {
            let kept = try await database.read { try InstallationStore.value("installation-id", $0) }
            guard let id = kept.flatMap({ UniqueID($0) }) else {
                return [Finding("storage", .doubtful, "not used yet", remedy: "the first start marks it as its own")]
            }
            if let finding = try await self.unsettledStorage(of: id, database) { return [finding] }
            let storage = try Deployment.openStorage(self.configuration, installation: id, mayClaim: false)
            try await storage.check()
            return [Finding("storage", .well, self.configuration[.storageURL].description)]
        } catch {
            return [Finding("storage", .wrong, self.words(error))]
        }
    }
}
