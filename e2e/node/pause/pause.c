// Holds a native pod's namespaces open: it reaps orphans and leaves when it is told to.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

int main(void) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGINT);
  sigaddset(&awaited, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &awaited, 0) != 0) {
    return 1;
  }
  for (;;) {
    int number = sigwaitinfo(&awaited, 0);
    if (number == SIGTERM || number == SIGINT) {
      return 0;
    }
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
    if (number < 0 && errno != EINTR) {
      return 1;
    }
  }
}
