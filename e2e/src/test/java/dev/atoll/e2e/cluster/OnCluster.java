package dev.atoll.e2e.cluster;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/// Runs a test class on the cluster that the system property `atoll.cluster` describes. Its
/// constructor or its tests take the [TestCluster] or a [TestNamespace], of which each test has its
/// own.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ClusterExtension.class)
@interface OnCluster {}
