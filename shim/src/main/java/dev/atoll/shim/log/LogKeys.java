package dev.atoll.shim.log;

/// Keys of log lines: to whom what the message says has happened.
public final class LogKeys {
    public static final String ADDRESS = "address";
    public static final String CODE = "code";
    public static final String COUNT = "count";
    public static final String CONTAINER_ID = "containerId";
    public static final String EXEC_ID = "execId";
    public static final String ERROR = "error";
    public static final String EXIT_STATUS = "exitStatus";
    public static final String NAMESPACE = "namespace";
    public static final String PATH = "path";
    public static final String PID = "pid";
    public static final String RPC = "rpc";
    public static final String SANDBOX_ID = "sandboxId";
    public static final String SIGNAL = "signal";
    public static final String STATE = "state";
    public static final String TOPIC = "topic";
    public static final String VERSION = "version";

    private LogKeys() {}
}
