;; Asks for memory until the end.
(module
  (memory (export "memory") 1)
  (func (export "_start") (loop $more (drop (memory.grow (i32.const 16))) (br $more))))
