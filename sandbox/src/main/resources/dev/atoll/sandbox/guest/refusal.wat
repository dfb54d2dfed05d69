;; Writes its first argument to standard error and exits with the status that the called function is named after.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  ;; 0: number of arguments, 4: their bytes, 8: the vector to write (address, length), 16: bytes written,
  ;; 32: the addresses of the arguments, 64: the arguments.
  (memory (export "memory") 1)
  (func $refuse (param $status i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 32) (i32.const 64)))
    (i32.store (i32.const 8) (i32.const 64))
    (i32.store (i32.const 12) (i32.load (i32.const 4)))
    ;; The final NUL becomes the end of the line.
    (i32.store8 (i32.add (i32.const 63) (i32.load (i32.const 4))) (i32.const 10))
    (block $done (loop $more
      (br_if $done (i32.eqz (i32.load (i32.const 12))))
      (br_if $done (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 16)))
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.load (i32.const 16))))
      (i32.store (i32.const 12) (i32.sub (i32.load (i32.const 12)) (i32.load (i32.const 16))))
      (br $more)))
    (call $exit (local.get $status)))
  (func (export "126") (call $refuse (i32.const 126)))
  (func (export "127") (call $refuse (i32.const 127))))
