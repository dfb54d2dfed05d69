;; Begins with 4 GiB of memory: more than the node of the tests grants all guests.
(module
  (memory (export "memory") 65536)
  (func (export "_start")))
