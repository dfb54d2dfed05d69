;; Needs nothing of its host: runs and returns.
(module
  (func (export "_start")))
