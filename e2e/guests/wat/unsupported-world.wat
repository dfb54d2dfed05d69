;; A component whose world nobody provides.
(component
  (import "example:nowhere/nothing@1.0.0" (instance
    (export "do-it" (func)))))
