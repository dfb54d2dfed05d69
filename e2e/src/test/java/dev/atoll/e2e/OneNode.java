package dev.atoll.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/// Runs a test class on the first version of containerd alone, as [EveryNode] runs it on each: for
/// what takes long and does not depend on containerd.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedClass(name = "containerd {0}", autoCloseArguments = false)
@ArgumentsSource(TestNodes.First.class)
@interface OneNode {}
