package dev.atoll.e2e.cluster;

import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Hands tests the cluster and a namespace of their own, and says what happened in the namespace
/// when a test fails.
final class ClusterExtension implements ParameterResolver, AfterTestExecutionCallback {
    private static final Namespace OURS = Namespace.create(ClusterExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == TestCluster.class || type == TestNamespace.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        TestCluster cluster = cluster(context);
        return parameter.getParameter().getType() == TestCluster.class
                ? cluster
                : context.getStore(OURS)
                        .computeIfAbsent(
                                TestNamespace.class,
                                _ -> TestNamespace.create(cluster),
                                TestNamespace.class);
    }

    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(
            ExtensionContext context) {
        return ExtensionContextScope.TEST_METHOD;
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        TestNamespace namespace =
                context.getStore(OURS).get(TestNamespace.class, TestNamespace.class);
        if (namespace != null && context.getExecutionException().isPresent()) {
            System.out.printf("%s:%n%s%n", context.getDisplayName(), namespace.story());
        }
    }

    private static TestCluster cluster(ExtensionContext context) {
        return context.getRoot()
                .getStore(OURS)
                .computeIfAbsent(TestCluster.class, _ -> TestCluster.connect(), TestCluster.class);
    }
}
