package dev.atoll.shim.rpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/// What is remembered of one connection between its calls: containerd opens one for each container.
/// Thread-safe.
public final class Session {
    private volatile String namespace = "";

    @GuardedBy("this")
    private int kills;

    /// The namespace of the container that was created over this connection; empty before that.
    public String namespace() {
        return namespace;
    }

    public void remember(String created) {
        namespace = created;
    }

    /// A kill has come in.
    public synchronized void killBegins() {
        kills++;
    }

    /// Its answer is on its way.
    public synchronized void killAnswered() {
        kills--;
        notifyAll();
    }

    /// Waits until every kill that came in is answered. containerd deletes a task as soon as it
    /// hears of its end, and hangs up then: an answer that comes later is lost, and the kill fails
    /// for whoever asked for it, though it did its work.
    public synchronized void awaitKills() throws InterruptedException {
        while (kills > 0) {
            wait();
        }
    }
}
