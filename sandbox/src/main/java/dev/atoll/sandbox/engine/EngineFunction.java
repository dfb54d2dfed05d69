package dev.atoll.sandbox.engine;

/// The functions of `atoll_engine.h`, all of one shape:
///
/// ```c
/// int64_t f(int64_t a, int64_t b, const uint8_t *in, int64_t in_len, uint8_t *out, int64_t out_cap);
/// ```
enum EngineFunction {
    ABI("atoll_abi"),
    ENGINE_NEW("atoll_engine_new"),
    ENGINE_DESCRIBE("atoll_engine_describe"),
    ENGINE_CLOSE("atoll_engine_close"),
    POLL("atoll_poll"),
    WAKE("atoll_wake"),
    VIEW_NEW("atoll_view_new"),
    VIEW_OPEN("atoll_view_open"),
    VIEW_DROP("atoll_view_drop"),
    MODULE_LOAD("atoll_module_load"),
    MODULE_INFO("atoll_module_info"),
    MODULE_DROP("atoll_module_drop"),
    POLICY_NEW("atoll_policy_new"),
    GUEST_NEW("atoll_guest_new"),
    GUEST_START("atoll_guest_start"),
    GUEST_UPDATE("atoll_guest_update"),
    GUEST_STOP("atoll_guest_stop"),
    GUEST_KILL("atoll_guest_kill"),
    GUEST_CLOSE_STDIN("atoll_guest_close_stdin"),
    GUEST_RESIZE("atoll_guest_resize"),
    GUEST_STAT("atoll_guest_stat"),
    GUEST_TEXT("atoll_guest_text"),
    GUEST_DROP("atoll_guest_drop");

    private final String symbol;

    EngineFunction(String symbol) {
        this.symbol = symbol;
    }

    String symbol() {
        return symbol;
    }
}
