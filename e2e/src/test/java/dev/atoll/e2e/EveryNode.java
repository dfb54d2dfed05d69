package dev.atoll.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/// Runs a test class once per version of containerd, each on a node that lives as long as the test
/// run. The class takes a [TestNode] in its constructor.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedClass(name = "containerd {0}", autoCloseArguments = false)
@ArgumentsSource(TestNodes.class)
@interface EveryNode {}
