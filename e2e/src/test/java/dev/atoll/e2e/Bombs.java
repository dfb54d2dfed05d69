package dev.atoll.e2e;

import dev.atoll.e2e.image.Content;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;

/// Programs that are hard to take for whoever reads, compiles or instantiates them. Each is valid
/// but for the names that nobody provides.
final class Bombs {
    private static final int BLOCK = 0x02;
    private static final int LOOP = 0x03;
    private static final int END = 0x0b;
    private static final int BRANCH = 0x0c;
    private static final int BRANCH_IF = 0x0d;
    private static final int BRANCH_TABLE = 0x0e;
    private static final int LOCAL_GET = 0x20;
    private static final int LOCAL_SET = 0x21;
    private static final int I32_CONST = 0x41;
    private static final int I32_ADD = 0x6a;
    private static final int NO_RESULT = 0x40;
    private static final int I32 = 0x7f;

    private Bombs() {}

    /// Very many functions, each of which calls the next.
    static Path functions(int count) {
        return WasmBytes.module()
                .section(
                        WasmBytes.FUNCTIONS,
                        functions -> functions.number(count).times(count, one -> one.raw(0)))
                .exportStart()
                .section(
                        WasmBytes.CODE,
                        code ->
                                code.number(count)
                                        .times(
                                                count,
                                                one -> one.body(body -> body.raw(0x10).number(1))))
                .file();
    }

    /// One function of blocks in blocks.
    static Path nesting(int depth) {
        return oneFunction(
                0,
                body ->
                        body.times(depth, one -> one.raw(BLOCK, NO_RESULT))
                                .times(depth, one -> one.raw(END)));
    }

    /// One function of jump tables with as many targets as the format allows.
    static Path jumpTables(int count) {
        int targets = 65_000;
        return oneFunction(
                0,
                body ->
                        body.times(
                                count,
                                one ->
                                        one.raw(BLOCK, NO_RESULT, I32_CONST, 0, BRANCH_TABLE)
                                                .number(targets)
                                                .times(targets, target -> target.raw(0))
                                                .raw(0, END)));
    }

    /// One function with as many variables as the format allows, mixed over many branches: the work
    /// of a register allocator grows with both.
    static Path variables(int statements) {
        int locals = 50_000;
        return oneFunction(
                locals,
                body -> {
                    body.raw(LOOP, NO_RESULT);
                    for (int i = 0; i < statements; i++) {
                        body.raw(BLOCK, NO_RESULT, LOCAL_GET)
                                .number(i * 7L % locals)
                                .raw(BRANCH_IF, 0);
                        body.raw(LOCAL_GET).number(i * 13L % locals);
                        body.raw(LOCAL_GET).number(i * 17L % locals);
                        body.raw(I32_ADD, LOCAL_SET).number(i % locals).raw(END);
                    }
                    body.raw(BRANCH, 0, END);
                });
    }

    private static Path oneFunction(int locals, Consumer<WasmBytes> instructions) {
        return WasmBytes.module()
                .section(WasmBytes.FUNCTIONS, functions -> functions.number(1).raw(0))
                .exportStart()
                .section(
                        WasmBytes.CODE,
                        code ->
                                code.number(1)
                                        .sized(body -> {
                                            body.number(1).number(locals).raw(I32);
                                            instructions.accept(body);
                                            body.raw(END);
                                        }))
                .file();
    }

    /// A memory filled by data to its end.
    static Path data(int mebibytes) {
        var content = new byte[mebibytes << 20];
        Arrays.fill(content, (byte) 1);
        return WasmBytes.module()
                .section(WasmBytes.FUNCTIONS, functions -> functions.number(1).raw(0))
                .section(
                        WasmBytes.MEMORIES,
                        memories -> memories.number(1).raw(0).number(mebibytes * 16L))
                .exportStart()
                .section(WasmBytes.CODE, code -> code.number(1).body(body -> {}))
                .section(
                        WasmBytes.DATA,
                        data -> data.number(1).raw(0, I32_CONST, 0, END).bytes(content))
                .file();
    }

    /// Memories of four gigabytes each.
    static Path memories(int count) {
        return WasmBytes.module()
                .section(WasmBytes.FUNCTIONS, functions -> functions.number(1).raw(0))
                .section(
                        WasmBytes.MEMORIES,
                        memories ->
                                memories.number(count)
                                        .times(count, one -> one.raw(0).number(65_536)))
                .exportStart()
                .section(WasmBytes.CODE, code -> code.number(1).body(body -> {}))
                .file();
    }

    /// Tables that grow until they are not allowed to, over and over.
    static Path tables() {
        // loop: ref.null func, i32.const 1000, table.grow 0, drop, br 0
        return WasmBytes.module()
                .section(WasmBytes.FUNCTIONS, functions -> functions.number(1).raw(0))
                .section(WasmBytes.TABLES, tables -> tables.number(1).raw(0x70, 0, 1))
                .exportStart()
                .section(
                        WasmBytes.CODE,
                        code ->
                                code.number(1)
                                        .body(body ->
                                                body.raw(LOOP, NO_RESULT)
                                                        .raw(
                                                                0xd0, 0x70, I32_CONST, 0xe8, 0x07,
                                                                0xfc, 15, 0, 0x1a)
                                                        .raw(BRANCH, 0, END)))
                .file();
    }

    /// Imports with long names that nobody provides.
    static Path imports(int count) {
        String module = "m".repeat(1000);
        return WasmBytes.module()
                .section(
                        WasmBytes.IMPORTS,
                        imports -> {
                            imports.number(count);
                            for (int i = 0; i < count; i++) {
                                imports.name(module).name("n" + i).raw(0, 0);
                            }
                        })
                .exportStart()
                .file();
    }

    /// An export whose name is very long and has lines and escape sequences, and no entry.
    static Path names(int length) {
        String name = "\n\u001b[2Jatoll: ".repeat(length / 12);
        return WasmBytes.module()
                .section(WasmBytes.FUNCTIONS, functions -> functions.number(1).raw(0))
                .section(WasmBytes.EXPORTS, exports -> exports.number(1).name(name).raw(0, 0))
                .section(WasmBytes.CODE, code -> code.number(1).body(body -> {}))
                .file();
    }

    /// A module that never finishes being instantiated.
    static Path endlessStart() {
        return WasmBytes.module()
                .section(WasmBytes.FUNCTIONS, functions -> functions.number(1).raw(0))
                .exportStart()
                .section(WasmBytes.START, start -> start.number(0))
                .section(
                        WasmBytes.CODE,
                        code ->
                                code.number(1)
                                        .body(body -> body.raw(LOOP, NO_RESULT, BRANCH, 0, END)))
                .file();
    }

    /// A component of very many instances.
    static Path instances(int count) {
        var text = new StringBuilder("(component (core module $m (memory 1))\n");
        text.append("(core instance (instantiate $m))\n".repeat(count));
        text.append(
                """
                (core module $main (func (export "run") (result i32) i32.const 0))
                (core instance $main (instantiate $main))
                (func $run (result (result)) (canon lift (core func $main "run")))
                (component $wrap (import "run" (func $f (result (result)))) (export "run" (func $f)))
                (instance $cli (instantiate $wrap (with "run" (func $run))))
                (export "wasi:cli/run@0.2.0" (instance $cli)))
                """);
        return Content.of(text.toString().getBytes(StandardCharsets.UTF_8));
    }
}
