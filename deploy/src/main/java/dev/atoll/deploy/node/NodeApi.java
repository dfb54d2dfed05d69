package dev.atoll.deploy.node;

import com.google.gson.JsonObject;
import java.util.Map;
import java.util.Optional;

/// A Node object of the cluster. Calls wait for the API server, at most for half a minute each.
public interface NodeApi {
    /// Its name.
    String name();

    /// @return the object in JSON
    JsonObject read() throws ApiFailed;

    /// Sets labels, and removes those without a value.
    void label(Map<String, Optional<String>> labels) throws ApiFailed;

    /// Tells something that happened; `kubectl describe node` shows it.
    ///
    /// @param warning whether somebody has to act
    /// @param reason in one word
    void tell(boolean warning, String reason, String message) throws ApiFailed;
}
