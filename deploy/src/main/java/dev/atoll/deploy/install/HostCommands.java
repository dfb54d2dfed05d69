package dev.atoll.deploy.install;

import java.time.Duration;
import java.util.List;

/// Runs programs of the host.
public interface HostCommands {
    /// @throws InstallFailed if the program cannot be started, or does not end in time and is
    ///   killed
    Result run(Duration deadline, List<String> words) throws InstallFailed;

    /// How a program ended.
    ///
    /// @param output its standard output
    /// @param errors its standard error
    record Result(int status, String output, String errors) {
        public boolean succeeded() {
            return status == 0;
        }

        /// The last line that is not empty, which tells most about a failure.
        public String lastLine() {
            String all = errors.isBlank() ? output : errors;
            return all.lines()
                    .filter(line -> !line.isBlank())
                    .reduce("", (_, last) -> last.strip());
        }
    }
}
