;; Never returns and never calls its host.
(module
  (func (export "_start")
    (loop $again (br $again))))
