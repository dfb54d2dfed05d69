package dev.atoll.e2e;

import dev.atoll.e2e.node.Checkout;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/// Starts the nodes of a test run, each when the first test class wants it, and ends them with the
/// run.
class TestNodes implements ArgumentsProvider {
    private static final Namespace NODES = Namespace.create(TestNodes.class);

    @Override
    public Stream<? extends Arguments> provideArguments(
            ParameterDeclarations parameters, ExtensionContext context) {
        var store = context.getRoot().getStore(NODES);
        return versions()
                .map(version -> store.computeIfAbsent(version, TestNode::start, TestNode.class))
                .map(Arguments::of);
    }

    /// Returns the versions to run on.
    Stream<String> versions() {
        return Checkout.containerdVersions().stream();
    }

    /// Only the first version's node.
    static final class First extends TestNodes {
        @Override
        Stream<String> versions() {
            return super.versions().limit(1);
        }
    }
}
