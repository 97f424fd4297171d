// The kernel's figures of this process, under the names that dashboards know.
// Source: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics

import Domain
import Glibc
import Threads

package enum ProcessMetrics {
    /// - Parameter version: of the program.
    package static func register(in metrics: Metrics, version: String) {
        let start = Double(WallClock.system.now().microseconds) / 1_000_000
        metrics.gauges("artifortress_build_info", "The program that runs.", labels: ["version"]) {
            [Reading([version], 1)]
        }
        metrics.gauges("process_start_time_seconds", "Start of the process, in seconds since 1970.") {
            [Reading([], start)]
        }
        metrics.gauges("process_resident_memory_bytes", "Resident memory.") {
            [Reading([], Double(self.residentBytes))]
        }
        metrics.gauges("process_open_fds", "Open file descriptors.") { [Reading([], Double(self.openFiles))] }
        metrics.gauges("process_max_fds", "The limit of open file descriptors.") {
            [Reading([], Double(self.openFileLimit))]
        }
        metrics.counter("process_cpu_seconds_total", "Processor time, in seconds.") { self.processorSeconds }
    }

    private static var residentBytes: Int {
        guard let file = unsafe fopen("/proc/self/statm", "re") else { return 0 }
        defer { unsafe fclose(file) }
        let text = unsafe String(unsafeUninitializedCapacity: 256) { unsafe fread($0.baseAddress, 1, $0.count, file) }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var openFiles: Int {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(directory) }
        var count = -3  // `.`, `..` and the directory itself
        while unsafe readdir(directory) != nil { count += 1 }
        return count
    }

    private static var openFileLimit: Int {
        var limit = rlimit()
        return unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0
            ? Int(clamping: limit.rlim_cur) : 0
    }

    private static var processorSeconds: Double {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
    }
}
